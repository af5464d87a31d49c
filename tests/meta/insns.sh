#!/bin/sh
# SPDX-License-Identifier: MIT
# insns.sh - A rise of instructions fails, a fall is said.
. tests/meta/lib.sh
mkdir bin
cat >bin/valgrind <<'END'
#!/bin/sh
for last; do :; done
echo "==1== Collected : $(cat "total.$last")" >&2
echo 10
END
cat >work <<'END'
#!/bin/sh
[ "$1" = --list ] && printf 'bulk\nlife\n'
END
chmod +x bin/valgrind work
PATH=$samples/bin:$PATH
sample table '# head\nbulk\t1000\tbegun\nlife\t200\tbegun\n'
total() { echo "$2" >"total.$1"; }

total bulk 10000 && total life 2000
prints "the committed figures pass" "ok 2 - life: 200 instructions, 200 committed
1..2" "$root/tools/insns.sh" ./work table
total bulk 10500
passes "a rise of 5 % passes" "$root/tools/insns.sh" ./work table
total bulk 10510
catches "a rise of more fails and says what to do" "not ok 1 - bulk: 1051 instructions, more than" \
    "$root/tools/insns.sh" ./work table
total bulk 9490
prints "a fall of more asks for a lower figure" "ok 1 - bulk: 949 instructions, fewer than the 1000 \
of table: lower the figure there" "$root/tools/insns.sh" ./work table
printf '# head\nbulk\t1000\tbegun\n' >table
catches "work without a committed figure fails" "not ok 2 - life: 200 instructions, and table has" \
    "$root/tools/insns.sh" ./work table
prints "figures can be written anew" "# head
bulk	949	begun
life	200	new" "$root/tools/insns.sh" ./work table --write
passes "and hold then" "$root/tools/insns.sh" ./work table
echo nothing >total.bulk
catches "work that cannot be counted fails" "not ok 1 - bulk: callgrind counts it" \
    "$root/tools/insns.sh" ./work table
catches "a program that is not there fails" "not ok 1" "$root/tools/insns.sh" ./gone table
done_testing
