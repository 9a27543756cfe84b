# Busybox's applets.
umask 022
mkdir /tmp/work
cd /tmp/work
touch_all() { touch -d '2024-02-29 12:34:56' "$@"; }

echo '== files'
mkdir tree tree/inner
echo hello >tree/greeting
printf 'pear\napple\nfig\napple\n' >tree/fruit
ln -s greeting tree/link
ln tree/fruit tree/inner/same
mkfifo tree/fifo
chmod 640 tree/greeting
chmod 4755 tree/fruit
chown 12:34 tree/greeting
touch_all tree/greeting tree/fruit tree/fifo tree/inner
touch -h -d '2024-02-29 12:34:56' tree/link
touch_all tree/inner
ls -ln --full-time tree | grep -v -e total -e inner
ls -1F tree
find tree | sort
find tree -type f -name 'f*' -size -2 -exec echo found {} \;
stat -c '%n %F %a %h %s %u:%g %Y' tree/greeting tree/fruit tree/link tree/fifo
readlink -f tree/link
cp -a tree copy && diff -r tree/inner copy/inner && echo 'the same'
mv copy/greeting copy/moved && ls -1 copy
cmp tree/greeting copy/moved && rm -r copy && ls -1
dd if=/dev/zero of=holes bs=1 count=1 seek=1048575 2>/dev/null
stat -c '%s' holes
wc -c <holes
truncate -s 3 holes; od -An -tx1 holes
test -x tree/fruit && test ! -x tree/greeting && test -p tree/fifo && test -L tree/link && echo 'tests hold'

echo '== text'
sort tree/fruit | uniq -c
grep -n -e app tree/fruit
sed -n -e 's/\(a\)\(p*\)/<\2\1>/p' -e '$=' tree/fruit
awk '{ count[$1]++; bytes += length($0) } END { print count["apple"], bytes, NR }' tree/fruit
cut -c2-3 tree/fruit | tr a-z A-Z
head -n 2 tree/fruit | tail -n 1
cat tree/fruit tree/greeting | wc
seq 1 3 10 | xargs echo and
printf '%05d|%-5s|%x\n' 42 ab 255
expr 6 \* 7
md5sum tree/fruit
sha256sum tree/greeting
hexdump -C tree/greeting
od -c tree/greeting
echo 'some text' | rev
paste tree/fruit tree/fruit | head -n 1
tee copy <tree/greeting | cat - copy

echo '== archives'
tar -cf tree.tar tree && tar -tf tree.tar | sort
mkdir out && tar -xf tree.tar -C out && diff -r tree/inner out/tree/inner && echo 'tar is faithful'
stat -c '%a %u:%g' out/tree/greeting
gzip -c tree.tar >tree.tar.gz && gunzip -c tree.tar.gz | cmp - tree.tar && echo 'gzip is faithful'
find tree -type f | sort | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null

echo '== shell'
for word in one two; do
    case $word in
    o*) echo "first: $word" ;;
    *) echo "then: $word" ;;
    esac
done
count=0; while [ $count -lt 3 ]; do count=$((count + 1)); done; echo $count
f() { local x=$1; echo "f $x ${x%.*} ${x##*.} ${#x}"; return 3; }
f a.b.c; echo $?
echo $(echo nested $(echo deeper))
(exit 5); echo $?
true && false || echo neither
cat <<END
here $count
END
echo in order | { read a b; echo $b $a; }
(echo through >tree/fifo) & cat tree/fifo; wait
sleep 10 & kill %1; wait $! ; echo "ended with $?"
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
sh -c 'kill -9 $$'; echo "killed: $?"
timeout 1 sleep 5; echo "timeout: $?"
set -- x y z; shift; echo $# "$@"
echo a{b}c "q'u" 'o"t' \\
eval echo \$count
exec 3>log; echo logged >&3; exec 3>&-; cat log
ls nothing; echo $?
cd /; pwd; cd - >/dev/null; pwd
type cd
umask

echo '== system'
id
whoami
uname -s
test -c /dev/null && echo 'a null device'
date -u -d @86400 '+%Y-%m-%d %H:%M:%S'
cal 2 2024 | head -n 4
env -i A=1 env
su -s /bin/sh -c 'id -u' root
basename /a/b.c .c; dirname /a/b.c
mktemp -u /tmp/XXXXXX | wc -c
cd /; rm -rf /tmp/work; ls -1 /tmp
exit 0
