== the whole environment [core]
env
== the whole environment of dash [dash]
env
== what the shell exports and what it does not
export -p; declare -p SHLVL; unset SHLVL; env | sort
== all variables, but those that name processes and times
set | grep -v -E '^(PPID|BASHPID|RANDOM|SECONDS|EPOCH.*|SRANDOM|BASH_EXECUTION_STRING|_)=' | cut -c 1-200
== dash: all variables [dash]
set | grep -v PPID
== the environment as the kernel has it
tr '\0' '\n' < /proc/$$/environ
== the command line as the kernel has it
tr '\0' '\n' < /proc/$$/cmdline; cat /proc/$$/comm
== $0 $# $* $? $- $_ [core]
echo "$_"; echo "$0 $# $* $? $-"; true a b; echo $_
== $$ is the shell
[ $$ = "$BASHPID" ]; echo $?; ( [ $$ = "$BASHPID" ]; echo $? ); [ "$(sh -c 'echo $PPID')" = $$ ]; echo $?
== $$ is in /proc
cat /proc/$$/comm; readlink /proc/$$/exe; readlink /proc/$$/cwd | sed 's|.*/||'
== $BASH, $BASH_VERSION and $BASHOPTS
echo "$BASH $BASH_VERSION"; echo "$BASHOPTS"; echo "$SHELLOPTS"
== shopt and set -o [core]
shopt; set -o
== SHLVL goes up
echo $SHLVL; bash -c 'echo $SHLVL'; (echo $SHLVL); bash -c 'bash -c "echo \$SHLVL"'
== SHELL and PATH are the user's
echo "$SHELL $PATH"; type -a bash sh env; command -v bash
== hash finds the shell itself
hash bash; hash | tail -1; which bash
== set -e
set -e; echo before; false; echo after
== set -e in a subshell
set -e; (false; echo no) || echo caught; (exit 4); echo not reached
== set -u
set -u; echo "${x-default}"; echo $x; echo not reached
== set -euo pipefail [core]
set -euo pipefail; echo start; x=$(false | true) || echo "failed $?"; false | true; echo not reached
== set -x
set -x; a=1; echo "$a $(echo b)"; (( a > 0 )); for i in 1 2; do :; done; set +x; echo end
== set -x with PS4 and BASH_XTRACEFD
exec 9>trace; BASH_XTRACEFD=9; PS4='at $LINENO: '; set -x; echo a; set +x; cat trace
== set -v
set -v; eval 'echo shown'; echo end
== set -n in a nested shell
bash -n -c 'echo no; if'; echo $?
== set -a
set -a; made=here; env | grep made
== set -f
touch a b; echo *; set -f; echo *
== set -h, -B, -H and others in $-
echo $-; set -o emacs; echo $-; set +B; echo {a,b}
== dash: $- and set -e [dash]
echo $-; set -eu; echo $-; false; echo not reached
== exit codes from 0 to 255 [core]
for i in 0 1 2 125 126 127 128 129 143 254 255 256 257 -1; do bash -c "exit $i"; echo $?; done
== exit with no number
false; exit
== exit 255
exit 255
== exit 1 in a function in a subshell
f() { exit 1; }; (f); echo $?; f; echo not reached
== exit with too many words
exit 1 2; echo $?
== exit with no number at all
exit text
== 126 and 127
touch plain; ./plain; echo $?; nonsense; echo $?; mkdir d; ./d; echo $?
== return outside a function
return 3; echo $?
== a function in the environment
f() { echo "f of $1"; }; export -f f; bash -c 'f there'; env | grep -A1 '^BASH_FUNC_f'
== command substitution
x=$(echo a; exit 3); echo "$x $?"; echo "$(echo "$(echo deep)")"; y=`echo old`; echo $y
== command substitution drops NULs and newlines
x=$(printf 'a\0b\n\n\n'); echo "<$x>"
== arrays and associative ones
a=(1 2 "3 4"); declare -A m=([x]=1 [y]=2); echo ${#a[@]} "${a[2]}" ${m[y]} ${!a[@]}
== parameter expansion
x=path/to/file.txt; echo ${x##*/} ${x%.*} ${x/to/from} ${x^^} ${#x} ${x:5:2} ${y:-none} ${y:=set} $y
== arithmetic
echo $((2**10)) $((7/2)) $((-7%3)) $((0x1f)) $((2#101)); ((1)); echo $?; ((0)); echo $?
== globbing
mkdir d; touch d/a d/b .h; echo * .* d/*; shopt -s nullglob dotglob; echo x*; echo *
== brace expansion
echo {a..e} {1..10..3} x{1,2}y
== case and regular expressions
[[ abc123 =~ ([a-z]+)([0-9]+) ]]; echo ${BASH_REMATCH[2]}; case x in y|x) echo yes;; esac
== local variables and recursion
f() { local n=$1; ((n <= 1)) && { echo 1; return; }; echo $((n * $(f $((n - 1))))); }; f 6
== aliases
shopt -s expand_aliases; alias hi='echo aliased'
hi there
== eval and nested quotes
eval 'echo "a  $(echo '"'"'b  c'"'"')"'
== getopts
while getopts ab:c o -a -b val -c; do echo "$o ${OPTARG-}"; done; echo $OPTIND
== the calling stack
f() { g; }; g() { echo "${FUNCNAME[@]}"; caller 0; }; f
== locale in the environment
echo "$LANG ${LC_ALL-none} ${LC_CTYPE-none}"; locale 2>/dev/null | head -3
== sorting goes by the locale
printf '%s\n' b A a B | sort; printf '%s\n' b A a B | LC_ALL=C sort
== TZ and dates
TZ=Asia/Tokyo date -d @0 +%H:%M; date -u -d @86400 +%F; printf '%(%Y)T\n' 0
== cwd
basename "$PWD"; pwd | sed 's|.*/||'; pwd -P | sed 's|.*/||'; mkdir d; cd d; basename "$PWD"; basename "$OLDPWD"; cd -  | sed 's|.*/||'
== cd into a deleted folder
mkdir d; cd d; rmdir ../d; pwd | sed 's|.*/||'; /bin/pwd > /dev/null; echo $?; cd ..; ls
== pushd, popd and dirs
mkdir a b; pushd a > /dev/null; pushd ../b > /dev/null; dirs | wc -w; popd > /dev/null; basename "$PWD"
== CDPATH
mkdir -p x/target; CDPATH=x; cd target | sed 's|.*/||'
== a symlink as cwd
mkdir real; ln -s real link; cd link; basename "$PWD"; basename "$(pwd -P)"
== umask
umask; umask -S; touch a; umask 077; touch b; stat -c %a a b; mkdir d; stat -c %a d
== RANDOM can be seeded
RANDOM=42; echo $RANDOM $RANDOM
== SECONDS begins at 0
echo $((SECONDS < 30))
== LINENO in functions and sourced files
echo 'echo file $LINENO' > lib; . ./lib; f() { echo $LINENO; }; f
== sourcing with arguments and return
echo 'echo "$# $1"; return 4' > lib; . ./lib arg; echo $?; source ./lib
== type of things
type cd; type -t if; type -t ls; type -P ls; f() { :; }; type -t f
== enable, builtin and command
builtin echo b; command echo c; enable -n echo; type -t echo
== ulimit as it is
ulimit -a
== ulimit -n
ulimit -n 20; ulimit -n; exec 18>f; exec 19>g; exec 15>h; echo $?; (exec 25>i) 2>/dev/null; echo $?
== ulimit -f
ulimit -f 1; head -c 3000 /dev/zero > f; echo $?; stat -c %s f
== ulimit -t
ulimit -t 100; ulimit -t; bash -c 'ulimit -t'
== ulimit -v
ulimit -v 1000000; bash -c 'echo runs; ulimit -v'
== ulimit -c and -s
ulimit -c 0; ulimit -c; ulimit -s 4096; ulimit -s; bash -c 'ulimit -s'
== ulimit -u can be read
ulimit -u 5000; ulimit -u
== ulimit -S and -H
ulimit -Sn 30; ulimit -Hn 40; ulimit -Sn; ulimit -Hn; ulimit -Sn 50; echo $?
== resource limits as the kernel has them
cat /proc/$$/limits
== signals as the kernel has them [core]
python3 -c 'import os
for line in open(f"/proc/{os.getppid()}/status"):
    if line.startswith(("SigB", "SigI", "SigC", "Shd")): print(line, end="")'
grep -E '^(Sig[BIC]|ShdPnd)' /proc/self/status
== threads, children and tracer
grep -E '^(Threads|TracerPid|NoNewPrivs|Seccomp|Umask)' /proc/$$/status; read -r x < /proc/$$/task/$$/children; echo "<$x>"
== user and groups
id -u; id -g; id -G; whoami 2>/dev/null
== capabilities
grep Cap /proc/self/status
== nice and scheduling
nice; ps -o ni= -p $$ | tr -d ' '; nice -n 5 nice; cat /proc/$$/oom_score_adj; taskset -p $$ | sed 's/.*: //'
== timer slack of a grandchild is the same for all
cat /proc/self/timerslack_ns | wc -l
== name of the process
ps -o comm= -p $$; ps -o args= -p $$ | cut -c 1-30
== its state, but for being a leader, which the process that waits for it is
ps -o stat= -p $$ | tr -d 's+l '
== namespaces are those of init's child [deaf]
ls /proc/self/ns | wc -l; readlink /proc/$$/ns/net | cut -d: -f1
== cgroup
wc -l < /proc/$$/cgroup
== memory maps name the shell
grep -o '/usr/bin/.*' /proc/$$/maps | sort -u
== the root and the executable
readlink /proc/$$/root; readlink -f /proc/$$/exe
== mounts are as they were
wc -l < /proc/self/mounts; mountpoint -q /usr/bin/bash; echo $?
== history and fc
set -o history; echo a > /dev/null; history | wc -l
== compgen and complete
compgen -b | wc -l; complete -p | wc -l
== a here-document in a command substitution
x=$(cat <<END
inner
END
); echo "$x"
