# The applets of busybox that applets.sh leaves out, each in a typical use; not those for networks, disks, kernel modules and
# consoles. Each line is shown before what it prints, and its status after it.
umask 022
export PATH=/bin
mkdir /tmp/work
cd /tmp/work
try() { echo "\$ $1"; eval "$1" 2>&1; echo "=> $?"; }
printf 'pear\napple\nfig\napple\n' >fruit
printf 'one two\n\tthree  four\nfive\n' >words
echo hello >one
echo world >two

echo '== files'
try 'mkdir -p tree/inner; cp one tree; cp -p two tree/inner; cp -l one hard; cp -s one soft; stat -c "%F %h" hard soft'
try 'cp -i one two </dev/null; cp -r tree copy; diff -r tree copy && echo same; rm -r copy'
try 'chmod u+x,g-r,o=w one; stat -c %a one; chmod +t one; stat -c %A one; chmod 0 one; stat -c %A one; chmod 644 one'
try 'chown 3:4 one; stat -c %u:%g one; chgrp 7 one; stat -c %g one; chown 0:0 one'
try 'link one other; stat -c %h other; unlink other; unlink nothing'
try 'ln -s one sym; ln -sf two sym; readlink sym; ln one sym; ln -sfn tree symd; ls -ld symd | cut -c1; rm sym'
try 'mkdir -m 700 -p d/e/f; stat -c %a d/e/f; rmdir d/e/f; rmdir -p d/e; ls d; mkdir one; rmdir tree'
try 'mkfifo -m 600 pipe; stat -c "%F %a" pipe; mknod node p; stat -c %F node; mknod nil c 1 3; echo x >nil; stat -c "%F %t %T" nil; cat nil'
try 'mv -n one two; cat two; mv nothing x; mv two tree; ls tree; mv tree/two .; rm pipe node nil'
try 'fallocate -l 10000 room; stat -c %s room; fallocate -o 5000 -l 10000 room; stat -c %s room; truncate -s +5 room; stat -c %s room; rm room'
try 'dd if=fruit of=part bs=4 skip=1 count=2 conv=notrunc 2>/dev/null; od -c part; dd if=fruit bs=3 count=1 status=none; dd if=/dev/zero of=part bs=1k count=3 seek=1; ls -s part'
try 'find . | sort; find . -type l | sort; find . -maxdepth 1 -type d | sort; find tree -name "t*" -exec echo {} +; find . -perm 644 -name fruit; find fruit -mtime -1'
try 'find . -name inner -prune -o -name two -print | sort; find . -links +1 | sort; find fruit -print0 | od -c; find tree -depth | tail -n 1; find . -size +1k; find nothing'
try 'ls | sort; ls -1 -S fruit words; ls -ld tree | cut -d" " -f1; ls -p -d tree one; ls -C one two fruit; ls --color=always -d tree soft one; ls -n fruit | cut -d" " -f1-4; ls -Q one; ls -L -d symd'
try 'touch -t 202001010101.05 old; stat -c %Y old; touch -r old new; stat -c %Y new; touch -a -d @5 old; stat -c "%X %Y" old; touch -c none; ls none; test new -nt old; rm old new'
try 'du -s tree | cut -f2; du -a tree | cut -f2 | sort; df -k /proc | tail -n 1; sync; sync fruit'
try 'pwd; cd symd; pwd; pwd -P; cd ..; realpath symd; realpath nothing/x; readlink -f symd/one; which ls; which nothing; dirname /a/b/'
try 'cp fruit secret; shred -n 1 -u secret; ls secret; mktemp -p . t.XXXXXX | cut -c1-4; rm t.*'
try 'mkdir parts; printf "#!/bin/sh\necho ran\n" >parts/one; chmod +x parts/one; run-parts parts; run-parts --test parts'
try 'mkdir mount; mount -t tmpfs -o size=64k tmpfs mount; df -k mount | tail -n 1; dd if=/dev/zero of=mount/f bs=1k count=100 2>&1 | sed 1q; umount mount; umount mount; mount nothing mount'

echo '== text'
try 'printf "1,2p\n2d\n\$a\nend\n.\nw\nq\n" | ed fruit; cat fruit; printf "pear\napple\nfig\napple\n" >fruit'
try 'egrep "^(pear|fig)" fruit; fgrep -c app fruit; grep -v -i APP fruit; grep -o "p*" fruit; grep -r hello tree; grep -q zzz fruit; grep -A1 -B1 fig fruit; grep -w app fruit; grep -l app fruit words; grep -x fig fruit'
try 'sed -e 2d -e "s/a/A/g" fruit; sed -n "/fig/,\$p" fruit; sed -i s/fig/FIG/ fruit; cat fruit; sed "y/abc/xyz/;1!G;h;\$!d" fruit; sed = fruit | sed "N;s/\n/ /"; sed -E "s/(.)(.)/\2\1/" fruit; sed s/FIG/fig/w\ out fruit; cat out; sed -i s/FIG/fig/ fruit'
try 'awk -F: "{ print \$1 }" /etc/passwd; awk "BEGIN { printf \"%5.2f|%s\n\", 3.14159, substr(\"hello\", 2, 3); while ((\"echo a b\" | getline l) > 0) print l; print length(\"xyz\"), index(\"abc\", \"c\"), toupper(\"q\") }"; awk "{ a[NR] = \$0 } END { for (i = NR; i; i--) print a[i] }" fruit'
try 'sort -r -u fruit; sort -k2 words; printf "10\n9\n1\n" | sort -n; printf "b 2\na 1\n" | sort -k2,2n; sort -c fruit; sort -o sorted fruit; cat sorted; printf "b\0a\0" | sort -z | od -c'
try 'uniq -c sorted; uniq -d sorted; uniq -u sorted; printf "a 1\nb 1\n" | uniq -f1; shuf -i 1-5 | sort; shuf -e a b c | sort'
try 'head -c 5 fruit; head -n -2 fruit; tail -n +3 fruit; tail -c 4 fruit; head -n1 fruit words; tail -n1 -q fruit words'
try 'cut -d" " -f2 words; expand words | od -c | head -n 2; unexpand -a words | od -c | head -n 2; fold -w 3 fruit; fold -s -w 6 words; nl fruit; nl -b a words'
try 'paste -d, fruit words; paste -s fruit; rev fruit; tac fruit; cat -A words; cat -n words; strings -n 4 fruit; ascii | head -n 3'
try 'tr a-y b-z <one; tr -d l <one; echo aabb | tr -s a; echo Hi | tr "[:upper:]" "[:lower:]"; echo hi | tr -c a-z X'
try 'wc fruit words; wc -l <fruit; wc -L words; wc -m words; factor 1234567890 97; seq -s, 1 2 9; seq -w 8 11; seq 5 -2 1'
try 'cp fruit more; echo kiwi >>more; diff fruit words; diff -u fruit more | tail -n 4 >patch; patch fruit <patch; diff -U3 fruit more >patch; patch fruit patch; tail -n1 fruit; patch -R fruit patch; diff -q fruit more; cmp fruit more; cmp -l one two'
try 'cp words dos; unix2dos dos; od -c dos | head -n 3; dos2unix dos; cmp dos words && echo same'
try 'hexdump fruit; hexdump -e "4/1 \"%02x \" \"\n\"" fruit; od -x fruit; od -t d4 fruit; od -A x -t x1z fruit; xxd fruit; xxd -p fruit | xxd -r -p'
try 'base64 one; base64 one | base64 -d; uuencode fruit f | tee coded; uudecode -o - coded; crc32 fruit; sum fruit'
try 'md5sum fruit words >sums; md5sum -c sums; sha1sum fruit; sha256sum fruit; sha3sum fruit; sha512sum fruit; echo x >>words; md5sum -c sums'
try 'printf "%s %d %5.2f %x %o %c %b\n" a 42 3.14159 255 8 xyz "a\\tb"; expr 3 + 4; expr abc : "a\(.*\)"; expr length hello; expr 3 \> 4; getopt -o ab: --long long,arg: -- -a -b x --long rest'
try 'echo "scale=5; 10/3; 2^100; sqrt(2); define f(x){ if (x<2) return 1; return x*f(x-1); }; f(20)" | bc; echo "s(1); a(1)*4" | bc -l; echo "3 4 + p 2 10 ^ p 7 2 % p" | dc'
try 'more fruit | cat; less fruit | cat; tee -a log <one; tee log <two; cat log; yes | head -n 2; echo x | ts %Y | cut -c5-; clear | od -c; reset | od -c'

echo '== archives'
try 'tar cf all.tar fruit tree one; tar tf all.tar | sort; tar tvf all.tar | cut -c1-10 | sort; mkdir x; tar xf all.tar -C x; diff -r tree x/tree; tar xf all.tar -O fruit'
try 'tar czf a.tgz fruit; tar tzf a.tgz; tar cjf a.tbz fruit; tar xjOf a.tbz; gzip -9 -k fruit; zcat fruit.gz | cmp - fruit; gunzip -t fruit.gz; mv fruit.gz f.Z; uncompress -c f.Z'
try 'bzip2 -k fruit; bzcat fruit.bz2 | cmp - fruit; bunzip2 -c fruit.bz2 | wc; find tree | sort | cpio -o -H newc >tree.cpio; mkdir y; cd y; cpio -idv <../tree.cpio; cd ..; diff -r tree y/tree; unzip -l tree.cpio'

echo '== processes'
try 'env -i X=1 env; env -u PATH /bin/env | grep -c PATH; arch; uname -o; nproc; tty </dev/null; hostname | wc -l; cal 11 2026'
try 'sleep 100 & p=$!; kill -0 $p; kill $p; wait $p; kill -l 9; kill -l TERM; kill 99999; usleep 10'
try 'timeout 5 true; timeout -s KILL 0.1 sleep 3; time -f %x false; nice; nice -n 5 nice; renice 3 $$ && nice; setsid true; taskset 1 echo bound'
try 'su -s /bin/sh root -c "id -un"; groups; id nobody; who'
try 'start-stop-daemon -S -b -m -p number -x /bin/sleep -- 100; sleep 0.2; start-stop-daemon -K -q -p number; sleep 0.2; start-stop-daemon -K -q -p number 2>/dev/null'
try 'seq 10 | xargs -n 3; printf "a b\nc" | xargs -I{} echo "<{}>"; printf "a\0b c\0" | xargs -0 -n1 echo; echo | xargs -r echo none; seq 3 | xargs -t echo; seq 5 | xargs -P 2 -n1 echo | sort; echo x | xargs false; printf "1 2" | xargs sh -c "exit 255"'
try 'test -f fruit -a -d tree; test -s fruit; test -z ""; test 3 -lt 4; test -L soft; test -O fruit; test a \< b; [ a = b ]; [[ a == a ]]; false; nologin </dev/null'
try 'sysctl -n kernel.ostype; sysctl nothing.here; free | head -n 1; ps -o pid,comm | head -n 1; ps -o pid,ppid,pgid,sid,tty,stat,vsz,rss,args | head -n 1; uptime | grep -c load; top -b -n 1 | grep -c "Load average"; w | head -n 1 | wc -l'
cd /
rm -r /tmp/work
exit 0
