#!/bin/sh
# SPDX-License-Identifier: MIT
# seeds.sh - Seeds reach every scenario, and a seed that fails is not lost.
. tests/meta/lib.sh
cat >lastack <<'END'
#!/bin/sh
echo "$*" >>asked
case "$*" in
"sim --list") printf 'blackout  the path dies\nlossy  packets are lost\n' ;;
*"--scenario lossy"*) echo "FAILED lossy, seed 7: a sentence"; exit 1 ;;
*) echo "all held" ;;
esac
END
chmod +x lastack

prints "a thousand and more are shared out by the simulator" "ok 1 - 5000 seeds" \
    "$root/tools/seeds.sh" ./lastack 5000
passes "the simulator was asked so" grep -q -e '--seeds 5000$' asked
catches "a scenario that fails is counted and named" "not ok 2 - 50 seeds of lossy
# FAILED lossy, seed 7: a sentence
1..2" "$root/tools/seeds.sh" ./lastack 100
passes "fewer are shared out here" grep -q -e '--scenario blackout --seeds 50$' asked
catches "each scenario gets one at least" "not ok 2 - 1 seeds of lossy" \
    "$root/tools/seeds.sh" ./lastack 1
catches "a command that is not there fails" "not ok 1" "$root/tools/seeds.sh" ./gone 1000
done_testing
