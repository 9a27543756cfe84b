# A script in the language that all shells share. What each of them prints is recorded.
umask 022
cd /tmp || exit 1

echo '== expansion'
set -- one 'two words' '' four
echo $# "$2" "$*" ; for word in "$@"; do echo "[$word]"; done
unset nothing; echo "${nothing:-default} ${nothing-unset} ${1:+set} ${#2}"
path=/usr/lib/file.tar.gz; echo ${path##*/} ${path%%.*} ${path#/} ${path%.gz}
echo "$((1 + 2 * 3)) $((0x10)) $((7 / 2)) $((7 % 3)) $((1 << 4)) $((3 > 2 && 2 > 3))"
echo "$(echo nested "$(echo inner)")" `echo old style`
IFS=:; set -- $(echo a:b::c); IFS=' 	
'; echo $# "$3" $4
echo ~/x "~" a{b,c}d 'single $1' "double \$1"
touch f1 f2 g1; echo f* [fg]1 ?2 none*; rm f1 f2 g1

echo '== control'
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
until [ $i = 0 ]; do i=$((i - 1)); done; echo down to $i
for x in 1 2 3; do for y in a b; do [ $y = b ] && continue 2; echo $x$y; done; done
case file.c in *.h) echo header ;; *.[co]) echo source ;; *) echo other ;; esac
if false; then echo no; elif true; then echo elif; else echo else; fi
! true; echo $?
f() { [ "$1" = 0 ] && return 7; echo "depth $1"; f $(($1 - 1)); }; f 3; echo "returned $?"
{ echo grouped; echo commands; } | while read -r line; do echo "<$line>"; done
(exit 9) || echo "status $?"
set -- ; echo "no arguments: $#"
eval 'variable=evaluated; echo $variable'

echo '== redirection'
echo first >out; echo second >>out; cat <out
echo to stderr 2>&1 >/dev/null; { echo error >&2; } 2>err; cat err
exec 3<out 4>copy; read -r line <&3; echo "$line" >&4; exec 3<&- 4>&-; cat copy
cat <<END
here: $((2 + 3)) $(echo substituted)
END
cat <<'END'
quoted: $((2 + 3))
END
cat <<-END
	tabs are taken away
	END
: >out; [ -s out ] || echo empty
set -C; (echo x >out) 2>/dev/null || echo 'noclobber holds'; set +C
while read -r a b; do echo "$b-$a"; done <<END
1 2
3 4 5
END
rm out err copy

echo '== processes'
sleep 0 & wait $!; echo "waited $?"
(exit 3) & wait $!; echo "status $?"
sh -c 'kill -TERM $$'; echo "killed $?"
sh -c 'exit 300'; echo "cut off: $?"
/nowhere 2>/dev/null; echo "not found $?"
: >plain; ./plain 2>/dev/null; echo "not executable $?"; rm plain
true | false; echo "pipe $?"
yes 2>/dev/null | head -n 2
(trap 'echo caught TERM' TERM; kill -TERM $(sh -c 'echo $PPID'); echo after)
(trap 'echo on exit' EXIT; exit 4); echo $?
trap '' INT; sh -c 'kill -INT $$; echo INT is ignored by children'; trap - INT
mkfifo pipe; (echo by fifo >pipe) & read -r line <pipe; echo "$line"; wait; rm pipe
{ sleep 100 & kill -9 $!; wait $!; } 2>/dev/null; echo "killed $?"
x=outside; (x=inside; echo $x); echo $x
export exported=yes; sh -c 'echo exported: $exported'
value=only sh -c 'echo $value'; echo "[${value:-}]"

echo '== tests'
mkdir d; : >d/e; ln -s d/e l; chmod 600 d/e
for t in '-d d' '-f d' '-e l' '-L l' '-r d/e' '-x d/e' '-s d/e' '-p d' '-w d'; do test $t; echo "$t $?"; done
[ abc = abc ] && [ abc != abd ] && [ -n x ] && [ -z '' ] && [ 10 -gt 9 ] && echo strings and numbers
[ d -nt nowhere ]; [ 1 -eq 1 -a 2 -eq 2 ] && echo and; [ 1 -eq 2 -o 2 -eq 2 ] && echo or
rm -r d l

echo '== options'
sh -c 'set -e; false; echo unreachable'; echo "set -e $?"
sh -c 'set -u; echo $undefined' 2>/dev/null || echo 'set -u ends'
sh -n -c 'echo not run'
set -- -a -b value rest
while getopts ab: option; do echo "option $option ${OPTARG:-}"; done; shift $((OPTIND - 1)); echo "$@"
printf '%s|%5d|%-5s|%x|%c\n' text 42 left 255 char
command -v cd; type true >/dev/null && echo known
read -r a b <<END
word and the rest
END
echo "$b"
cd /; pwd; cd - >/dev/null; echo "$PWD"
umask; umask 077; : >private; ls -l private | cut -c1-10; rm private
exit 0
