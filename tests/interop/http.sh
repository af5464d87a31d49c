#!/bin/sh
# SPDX-License-Identifier: MIT
#
# http.sh - The file server's answers, asked by curl and byte by byte.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir -p "$work/www/sub dir" "$work/www/empty"
echo outside >"$work/outside"
echo plain >"$work/www/plain.txt"
echo index >"$work/www/index.html"
echo deep >"$work/www/sub dir/deep"
: >"$work/www/nothing"
ln -s ../outside "$work/www/leak"
mkfifo "$work/www/fifo"
start_server serve --max-upload 1M "$work/www"

# raw TEXT...: sends it as it is (with printf's escapes); the answer is in $work/answer.
raw() {
    # shellcheck disable=SC2059
    printf "$@" | nc.openbsd -N -w 5 $ours4 80 >"$work/answer"
}

# answers STATUS TEXT...: the first answer's status line has it.
answers() {
    want=$1
    shift
    raw "$@" || return 1
    head -n 1 "$work/answer" | grep -q "^HTTP/1.1 $want " || {
        cat "$work/answer"
        return 1
    }
}

# status WANT CURL-ARGUMENT...
status() {
    want=$1
    shift
    equal "$(curl -gsS --path-as-is --max-time 10 -o "$work/got" -w '%{http_code}' "$@")" "$want"
}

base=http://$ours4
H='HTTP/1.1\r\nHost: h\r\n'
check "GET of a file" status 200 $base/plain.txt
check "its type goes by its name" sh -c "curl -sSI $base/plain.txt | grep -qi 'Content-Type: text/plain'"
check "an empty file" status 200 $base/nothing
check "index.html for a directory" status 200 $base/
check "which is the right file" contains "$work/got" index
check "a directory without its slash" status 301 "$base/sub%20dir"
check "is redirected to where it is" sh -c \
    "curl -sSL --max-time 5 -o /dev/null -w '%{url_effective}' '$base/sub%20dir' | grep -q 'sub%20dir/\$'"
check "a directory without an index is listed" status 200 "$base/sub%20dir/"
check "with its names" contains "$work/got" '<a href="deep">deep</a></td><td>5</td>'
check "an empty directory too" status 200 $base/empty/
check "with the way up" contains "$work/got" 'href="../"'
check "an escaped name" status 200 "$base/sub%20dir/deep"
check "a query is no part of the name" status 200 "$base/plain.txt?a=../../b"
check "a file that is not there" status 404 $base/absent
check "a file taken for a directory" status 404 $base/plain.txt/
check "a path through a file" status 404 $base/plain.txt/x
check "a FIFO is not served" status 404 $base/fifo
check "HEAD says the length and sends nothing" answers 200 "HEAD /plain.txt ${H}\\r\\n"
check "the length of the file" contains "$work/answer" "Content-Length: 6"
check "and no body" equal "$(grep -c plain "$work/answer")" 1
for path in /../outside /%2e%2e/outside /sub%20dir/../../outside "/..%2foutside" //../outside; do
    check "no way out: $path" status 400 "$base$path"
done
check "no way out by a link" status 404 $base/leak
check "a NUL in a path" status 400 $base/a%00b
check "a bad escape" status 400 $base/a%zz

# Parts, and what did not change.
make_file "$work/www/whole" 4
touch -d '1 hour ago' "$work/www/whole" "$work/www/plain.txt"
check "a range" status 206 -r 0-3 $base/plain.txt
check "is that part" equal "$(cat "$work/got")" plai
check "the last bytes" status 206 -r -3 $base/plain.txt
check "are those" equal "$(cat "$work/got")" in
check "several ranges" status 206 -r 0-1,4-4 $base/plain.txt
check "come in parts" equal "$(grep -ac '^Content-Range: bytes' "$work/got")" 2
check "a range behind the end" status 416 -r 100- $base/plain.txt
resumes() {
    head -c 1500000 "$work/www/whole" >"$work/partial"
    curl -gsS --max-time 20 -C - -o "$work/partial" -w '%{http_code} %{size_download}' \
        $base/whole >"$work/how" && same_file "$work/www/whole" "$work/partial" &&
        equal "$(cat "$work/how")" "206 2694304"
}
check "a download is resumed" resumes
check "a whole file has nothing left to resume" curl -gsS --max-time 10 -C - -o "$work/partial" $base/whole
check "and stays as it is" same_file "$work/www/whole" "$work/partial"
check "a file that is no newer is not sent" status 304 -z "$work/www/plain.txt" $base/plain.txt
touch "$work/www/plain.txt"
check "one that is newer is" status 200 -z "1 minute ago" $base/plain.txt
etag=$(curl -gsSI --max-time 5 $base/whole | tr -d '\r' | sed -n 's/^ETag: //p')
check "a tag saves a transfer" status 304 -H "If-None-Match: $etag" $base/whole
check "a part of that version" status 206 -r 5-9 -H "If-Range: $etag" $base/whole
check "or all of another" status 200 -r 5-9 -H 'If-Range: "other"' $base/whole

check "PUT of a new file" status 201 -T "$work/outside" $base/new
check "PUT over it" status 204 -T "$work/outside" $base/new
check "the file is there" same_file "$work/outside" "$work/www/new"
check "PUT in chunks" status 201 -T - $base/chunked <"$work/outside"
check "the file is there too" same_file "$work/outside" "$work/www/chunked"
check "PUT of an empty file" status 201 -T "$work/www/nothing" $base/new0
make_file "$work/large" 2
check "PUT of too large a file" status 413 -T "$work/large" $base/large
check "PUT of too large a file in chunks" status 413 -T - $base/large <"$work/large"
check "leaves nothing" equal "$(ls -A "$work/www" | grep -c 'large\|lastack-put')" 0
check "PUT into a directory that is not there" status 404 -T "$work/outside" $base/absent/x
check "PUT over a directory" status 409 -T "$work/outside" $base/empty
check "PUT out of the directory" status 400 -T "$work/outside" $base/../x
check "PUT without a length" answers 411 "PUT /x ${H}\\r\\n"
# In two pieces: with the body there already, 100 would be of no use and is left out.
expects() {
    : >"$work/answer"
    {
        printf "PUT /x ${H}Content-Length: 2\\r\\nExpect: 100-continue\\r\\n\\r\\n"
        within 10 contains "$work/answer" "HTTP/1.1 100 Continue"
        printf hi
    } | nc.openbsd -N -w 5 $ours4 80 >"$work/answer"
    contains "$work/answer" "HTTP/1.1 100 Continue"
}
check "100 Continue when it is asked for" expects
check "and then the answer" contains "$work/answer" "HTTP/1.1 201"
check "no 100 Continue for what is refused" answers 413 \
    "PUT /x ${H}Content-Length: 2000000\\r\\nExpect: 100-continue\\r\\n\\r\\n"

check "a method that is not here" status 405 -X POST -d x $base/plain.txt
check "what is, is said" sh -c "curl -sSi -X DELETE $base/plain.txt | grep -q 'Allow: GET, HEAD, PUT'"
check "a method that is nowhere" answers 501 "FROB / ${H}\\r\\n"
check "no Host" answers 400 "GET / HTTP/1.1\\r\\n\\r\\n"
check "two Hosts" answers 400 "GET / ${H}Host: i\\r\\n\\r\\n"
check "HTTP/1.0 needs none, and is closed" answers 200 "GET / HTTP/1.0\\r\\n\\r\\n"
check "another version" answers 505 "GET / HTTP/3.0\\r\\nHost: h\\r\\n\\r\\n"
check "an unknown expectation" answers 417 "GET / ${H}Expect: wonders\\r\\n\\r\\n"
check "an unknown transfer coding" answers 501 \
    "PUT /x ${H}Transfer-Encoding: gzip, chunked\\r\\n\\r\\n"
check "two lengths" answers 400 "PUT /x ${H}Content-Length: 1\\r\\nContent-Length: 2\\r\\n\\r\\nab"
check "a length and chunks" answers 400 \
    "PUT /x ${H}Content-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"
check "not HTTP at all" answers 501 '\026\003\001\002\000\001\000\001'
long=$(head -c 5000 /dev/zero | tr '\0' a)
check "too long a target" answers 414 "GET /$long $H\\r\\n"
longer=$(head -c 17000 /dev/zero | tr '\0' a)
check "too long a head" answers 431 "GET / ${H}X: $longer\\r\\n\\r\\n"

check "three requests at once are answered in order" raw \
    "GET /plain.txt ${H}\\r\\nGET /absent ${H}\\r\\nHEAD / ${H}Connection: close\\r\\n\\r\\n"
check "in order" equal "$(sed -n 's#^HTTP/1.1 \([0-9]*\) .*#\1#p' "$work/answer" | tr '\n' ' ')" \
    "200 404 200 "
check "a request in many pieces" sh -c \
    "{ for c in G E T ' ' / ' ' H T T P / 1 . 0; do printf \"\$c\"; sleep 0.02; done; printf '\\r\\n\\r\\n'; } |
     nc.openbsd -N -w 5 $ours4 80 | grep -q '200 OK'"
check "nothing after the last request is answered" raw \
    "GET / ${H}Connection: close\\r\\n\\r\\nGET / ${H}\\r\\n"
check "nothing" equal "$(grep -c '^HTTP/1.1' "$work/answer")" 1
check "the server ends in order" stop_server

start_server serve --read-only "$work/www"
check "PUT to a server that is read-only" status 405 -T "$work/outside" $base/no
check "says what is left" sh -c "curl -sSi -T $work/outside $base/no | grep -q 'Allow: GET, HEAD'"
stop_server
start_server serve --no-listing "$work/www"
check "no listing when none is wanted" status 404 $base/empty/
check "but an index" status 200 $base/
stop_server
start_server serve --idle-timeout 1 "$work/www"
quiet_client() {
    # It neither sends nor ends before it is told that the connection has.
    timeout 20 nc.openbsd -d $ours4 80 >"$work/answer"
    equal $? 0 && contains "$work/events" '"to":"FIN-WAIT-1"'
}
check "a client that says nothing is dropped" quiet_client
stop_server
interop_end
