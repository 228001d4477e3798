== xargs starts shells
seq 3 | xargs -I{} sh -c 'echo item {}; exit 0'; echo 1 | xargs sh -c 'exit 255'; echo $?
== xargs with a signal
echo x | xargs sh -c 'kill -TERM $$'; echo $?
== find -exec
mkdir d; touch d/a d/b; find d -type f -exec sh -c 'echo "found $1"' sh {} \; | sort; find d -type f -exec sh -c 'echo $#' sh {} +
== find -ok takes no answer
touch f; find f -ok echo {} \; < /dev/null 2>/dev/null; echo $?
== env -i
env -i bash -c 'env; echo $PATH'; env -i sh -c env | sort
== env -u and additions
env -u HOME A=b bash -c 'echo ${HOME-none} $A'
== env names that are no identifiers
env 'a-b=1' 'x.y=2' '3=4' ' =5' sh -c 'env' | grep -E '^(a-b|x.y|3| )=' | sort; env 'a-b=1' bash -c env | grep a-b
== nice
nice -n 3 sh -c nice; nice -n 3 bash -c 'nice -n 2 nice'
== setsid
setsid sh -c 'ps -o sid= -p $$ | tr -d " " | grep -qx $$; echo $?'; setsid -w bash -c 'exit 4'; echo $?
== nohup
nohup sh -c 'echo text' 2>/dev/null; ls; cat nohup.out 2>/dev/null
== timeout with a foreground option
timeout --foreground 0.1 sleep 5; echo $?; timeout 5 sh -c 'exit 3'; echo $?
== timeout -k
timeout -k 0.1 0.1 bash -c 'trap "" TERM; sleep 5 & wait; sleep 5'; echo $?
== time
{ time -p true; } 2>&1 | wc -l; TIMEFORMAT=%0R; time true
== script of awk, sed and perl
echo 'a b c' | awk '{print $2; system("echo from awk")}'; perl -e 'print `echo from perl`; exit system("exit 3") >> 8'; echo $?
== system() and popen()
python3 -c 'import os, subprocess
print(os.system("exit 3") >> 8, os.popen("echo p").read(), subprocess.run("echo $0", shell=True, capture_output=True).stdout)'
== python's encoding
python3 -c 'import sys, os, locale; print(sys.getfilesystemencoding(), os.environ.get("LC_CTYPE"), locale.getpreferredencoding())'
== python that dies of a signal
python3 -c 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'; echo $?
== python that is interrupted
python3 -c 'import os, signal; os.kill(os.getpid(), signal.SIGINT)' 2>/dev/null; echo $?
== python on a broken pipe
python3 -c 'print("x" * 100000)' 2>/dev/null | head -c 5; echo "${PIPESTATUS[0]}"
== python with subprocesses and groups
python3 -c 'import os, subprocess
p = subprocess.Popen(["sleep", "5"], start_new_session=True); os.killpg(p.pid, 15); print(p.wait())'
== perl and its signals
perl -e '$SIG{TERM} = sub { print "perl\n"; exit 3 }; kill TERM => $$; sleep 1'; echo $?
== make
printf 'all:\n\t@echo made; exit 0\nbad:\n\t@exit 3\n' > Makefile; make -s all; make -s bad 2>/dev/null; echo $?
== git in a fresh folder
git init -q . 2>/dev/null; git status --short | wc -l; git config user.name x; ls -a | wc -l
== tar and gzip
echo text > f; tar cz f | tar tz; gzip -c f | zcat
== temporary files
t=$(mktemp -p .); echo x > "$t"; cat "$t"; rm "$t"; ls
== a file lock
flock lock sh -c 'echo locked'; exec 9>lock; flock -n 9; echo $?; flock -n lock true; echo $?
== setpriv without privileges
setpriv --no-new-privs sh -c 'grep NoNewPrivs /proc/self/status'; setpriv --dump | head -2
== stdbuf and unbuffered output
stdbuf -oL sh -c 'echo a; echo b'; stdbuf -o0 printf c; echo
== strace is not needed to see children
sh -c 'echo $(ps -o ppid= -p $$)' | grep -qx $$; echo $?
== pgrep finds the shell once
pgrep -g 0 -c -f needle-in-this-script
== ps of our group shows what we started
sleep 5 & until grep -qx sleep /proc/$!/comm; do :; done; ps -o comm= -g $(ps -o sid= -p $$) | grep -c sleep; kill $!
== pstree from the shell down
sh -c 'sleep 5 & until grep -qx sleep /proc/$!/comm; do :; done; ps --ppid $$ -o comm= > f; sort f; kill $!'
== killall-like by group
set -m; (sleep 5; sleep 5) & kill -TERM -- -$!; wait %1; echo $?
== dd to and from descriptors
dd if=/dev/zero bs=1k count=3 2>/dev/null | dd of=f bs=512 2>/dev/null; stat -c %s f
== core dumps are off
ulimit -c 0; sh -c 'kill -SEGV $$' ; echo $?; ls
== sort -o on its input
printf '%s\n' c a b > f; sort -o f f; cat f
== comm, join and paste
printf '1\n2\n' > a; printf '2\n3\n' > b; comm a b; join a b; paste -d, a b
== od, xxd-like and base64
printf '\0\1\377' | od -An -tx1; printf 'data' | base64; echo ZGF0YQ== | base64 -d; echo
== touch, stat and links
touch -d @1000 f; stat -c %Y f; ln f g; ln -s f h; stat -c '%h %F' f h; readlink h
== chmod and permissions
touch f; chmod 640 f; ls -l f | cut -c 1-10; chmod u+s f; stat -c %a f
== a thousand files
mkdir d; for i in $(seq 300); do echo $i > d/$i; done; ls d | wc -l; cat d/* | md5sum; rm -r d
== odd file names
touch -- '-n' 'a b' $'new\nline' $'\377'; ls -b
== sparse and large files
truncate -s 50M big; stat -c %s big; rm big
== /dev/tcp that nobody answers
(exec 3<>/dev/tcp/127.0.0.1/1) 2>/dev/null; echo $?
== bc-like arithmetic of expr and test
expr 6 \* 7; expr a : b; echo $?; test 1 -lt 2 -a 3 -gt 2; echo $?
== yes, with a limit of time
timeout 0.05 yes > /dev/null; echo $?
== id in a nested user of its own
setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'id -u' 2>/dev/null || id -u | wc -l
== unshare-like programs see our namespaces
readlink /proc/self/ns/user > a; bash -c 'readlink /proc/self/ns/user' > b; cmp a b; echo $?
== the signal mask of children is empty
grep -E '^Sig(Blk|Ign)' /proc/self/status; python3 -c 'import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))'
== descriptors that children have
python3 -c 'import os
print(sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1])'
== python as the last command
exec python3 -c 'import sys; print(sys.argv, sys.stdin and sys.stdin.readline()); sys.exit(44)'
== a shell in a shell in a terminal program
printf 'echo inner\nexit 3\n' | bash; echo $?; printf 'echo inner\nexit 3\n' | sh -s; echo $?
== heredoc to a shell
bash <<'END'
echo "in $0"
read -r x
this line is read
echo "$x"
exit 12
END
