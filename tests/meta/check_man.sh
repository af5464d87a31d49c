#!/bin/sh
# SPDX-License-Identifier: MIT
# check_man.sh - A page and a --help that differ are seen, whichever of them is wrong.
. tests/meta/lib.sh

command -v mandoc >/dev/null || {
    echo "1..0 # SKIP no mandoc"
    exit 0
}
cat >lastack <<'END'
#!/bin/sh
case $* in
help) printf 'usage: lastack COMMAND\n\n  serve    serve files\n' ;;
*) cat "${0%/*}/help" ;;
esac
END
chmod +x lastack
cat >good-help <<'END'
usage: lastack serve [OPTION]... DIR

Serves.

  -p, --port N                 listen there (80)
      --log                    a line each (of many words)
  -h, --help                   show this

What all commands on the stack take:

      --tun NAME               use this

Examples:

    lastack serve .
END
page() { # OPTIONS
    mkdir -p man
    {
        printf '.\\" X\n.Dd November 22, 2026\n.Dt LASTACK-SERVE 1\n.Os\n.Sh NAME\n.Nm lastack-serve\n'
        printf '.Nd serve files\n.Sh OPTIONS\n.Bl -tag -width Ds\n'
        printf "$1"
        printf '.It Fl h , Fl -help\nShow this.\n.El\n'
    } >man/lastack-serve.1
}
common() { # OPTIONS
    {
        printf '.\\" X\n.Dd November 22, 2026\n.Dt LASTACK 1\n.Os\n.Sh NAME\n.Nm lastack\n.Nd programs\n'
        printf '.Sh COMMON OPTIONS\n.Bl -tag -width Ds\n'
        printf "$1"
        printf '.El\n.Sh SEE ALSO\n.Xr lastack-serve 1\n'
    } >man/lastack.1
}
good='.It Fl p , Fl -port Ar N\nListen there.\nThe default is 80.\n.It Fl -log\nA line each.\n'
check() {
    "$root/tools/check_man.sh" "$samples/lastack" "$samples/man"
}

cp good-help help
page "$good"
common '.It Fl -tun Ar NAME\nUse this.\n'
passes "a page that says what --help says" check
page "$(echo "$good" | sed 's/80/81/')"
catches "another default" "lacks or gives otherwise what lastack serve --help has: -p --port N = 80" check
page "$(echo "$good" | sed 's/Ar N/Ar PORT/')"
catches "another name of a value" "no such option, or another default: -p --port PORT = 80" check
page "$(echo "$good" | sed 's/Fl p , //')"
catches "a letter left out" "what lastack serve --help has: -p --port N = 80" check
page '.It Fl p , Fl -port Ar N\nListen there.\nThe default is 80.\n'
catches "an option left out" "what lastack serve --help has: --log" check
page "$good.It Fl -fast\\nBe fast.\\n"
catches "an option that is not there" "has no such option, or another default: --fast" check
page "$good"
common '.It Fl -wire Ar NAME\nUse this.\n'
catches "a common option left out" "what a command on the stack --help has: --tun NAME" check
common '.It Fl -tun Ar NAME\nUse this.\n'
printf 'no mdoc\n.Xx\n' >>man/lastack-serve.1
catches "what mandoc objects to" "skipping unknown macro" check
page "$good"
sed '/lastack serve \.$/d' good-help >help
catches "a --help without an example" "its --help has no example" check
cp good-help help
mv man/lastack-serve.1 man/lastack-server.1
catches "a command without a page" "lastack serve has no page" check
catches "a page without a command" "lastack-server.1:1: lastack has no such sub-command" check
done_testing
