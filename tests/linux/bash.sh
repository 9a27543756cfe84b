# What only bash knows.
cd /tmp || exit 1
shopt -s extglob nullglob

echo '== arrays'
list=(one 'two words' three); list+=(four); echo "${#list[@]} ${list[1]} ${list[-1]} ${!list[@]}"
unset 'list[2]'; echo "${list[@]}" "${list[@]:1:2}"
declare -A map=([apple]=1 [pear]=2); map[fig]=3
for key in $(printf '%s\n' "${!map[@]}" | sort); do echo "$key=${map[$key]}"; done
mapfile -t lines < <(printf 'a\nb\nc\n'); echo "${#lines[@]} ${lines[2]}"

echo '== expansion'
text='Hello World'; echo "${text^^} ${text,,} ${text/o/0} ${text//o/0} ${text:6} ${text: -5:2}"
echo {1..5} {a..e..2} pre{fix,text}
echo $'tab\tand \x41' "$((2 ** 10))" $((16#ff))
name=text; echo "${!name}"
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
[[ file.c == *.@(c|h) ]] && echo extended pattern
touch x1 x2 x3; echo x!(2) no*thing; rm x?
printf -v padded '%05d' 42; echo "$padded"

echo '== control'
for ((i = 0; i < 3; i++)); do ((i == 1)) && continue; echo $i; done
select choice in red green; do echo "chose $choice"; break; done <<<2 2>/dev/null
case word in w*) echo first ;;& *d) echo falls through ;; esac
function counted { local -i n=$1; n+=1; echo $n; }; counted 41
(set -o pipefail; false | true; echo "pipefail $?")
true | false | true; echo "${PIPESTATUS[@]}"

echo '== processes'
cat <(echo by process substitution)
echo data > >(cat); wait $!
coproc { read -r line; echo "coprocess got $line"; }
echo hello >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"; wait
sleep 100 & first=$!; sleep 100 & kill $first $!; wait $first; echo "ended $?"; wait; echo 'all ended'
exec {fd}<<<'here string'; read -r line <&"$fd"; echo "$line"; exec {fd}<&-
read -r -t 0.1 line < <(sleep 1); (($? > 128)) && echo 'read gave up'
trap 'echo error at status $?' ERR; false; trap - ERR
(trap 'echo child' CHLD; sleep 0 & wait; trap - CHLD)
ulimit -n 64; ulimit -n; { (ulimit -f 1; head -c 5000 /dev/zero >big); echo "limit $(($? > 128))"; } 2>/dev/null; rm -f big
time_format=$TIMEFORMAT; TIMEFORMAT='%R'; [[ $( { time true; } 2>&1 ) < 1 ]] && echo timed; TIMEFORMAT=$time_format
echo "$BASH_SUBSHELL $(echo $BASH_SUBSHELL)"
exit 0
