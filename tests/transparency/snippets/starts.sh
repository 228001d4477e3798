== a script file [core script]
echo "$0 $# $1 $2"; return 2>/dev/null; echo "${BASH_SOURCE[0]}"; exit 6
== dash: a script file [script dash]
echo "$0 $# $1"; exit 6
== a script file that reads input [script]
read -r x; echo "$x"; cat
== a login shell [login]
echo "$0 $-"; shopt -q login_shell; echo $?
== a login shell's environment [login]
env | sort
== a login shell runs logout files [login]
echo 'echo profile' > p; . ./p; logout; echo $?
== a #! script
printf '#!/bin/bash\necho "$0 $1"; echo $BASH; exit 4\n' > s; chmod +x s; ./s arg; echo $?
== a #! script with an option
printf '#!/bin/bash -e\necho a; false; echo b\n' > s; chmod +x s; ./s; echo $?
== a #! script of env
printf '#!/usr/bin/env bash\necho "$0"; echo "$@"\n' > s; chmod +x s; ./s 1 2
== a #! script of sh
printf '#!/bin/sh\necho "$0 $-"\n' > s; chmod +x s; ./s
== a #! script in the path
mkdir bin; printf '#!/bin/sh\necho found $0\n' > bin/tool; chmod +x bin/tool; PATH=$PWD/bin:$PATH; tool | sed 's|/.*/|/|'
== a script with no #!
echo 'echo plain $0' > s; chmod +x s; ./s; echo $?
== a script with an unknown interpreter
printf '#!/nonexistent/shell\n' > s; chmod +x s; ./s; echo $?
== exec of a #! script
printf '#!/bin/bash\necho in $0\nexit 9\n' > s; chmod +x s; exec ./s
== exec of a program [core]
exec echo replaced
== exec of what is not there
exec /nonexistent; echo not reached
== exec of what is not there, and on
shopt -s execfail; exec nonsense; echo "still here $?"
== exec -a
exec -a other sh -c 'echo $0'
== exec -a of bash
(exec -a renamed bash -c 'echo $0; nonsense'); echo $?
== exec -l and -c
(exec -l bash -c 'echo $0'); (exec -c env); echo end
== exec with redirections
exec sh -c 'echo out; echo err >&2' > file 2>&1
== exec of a nested shell [core]
exec bash -c 'echo inner $0 $SHLVL; exit 7'
== exec ten times over
n=${n-10}; ((n == 0)) && { echo end $SHLVL; exit 3; }; export n=$((n - 1)); exec bash -c "$BASH_EXECUTION_STRING"
== nested shells [core]
bash -c 'echo 1; sh -c "echo 2; dash -c \"echo 3; exit 4\""; echo $?'
== nested shells by their paths
/bin/bash -c 'echo a $0'; /usr/bin/bash -c 'echo b $0'; /bin/sh -c 'echo c $0'; /usr/bin/dash -c 'echo d'
== nested shells in turn from dash [dash]
bash -c 'echo bash $0 $BASH_VERSION'; sh -c 'echo sh'; exec bash -c 'echo last; exit 2'
== nested login shell
bash -l -c 'echo $-; shopt -q login_shell; echo $?'
== sh is what it is [sh]
echo "$0 $-"; echo ${BASH_VERSION-none}; readlink -f /proc/$$/exe
== BASH_ENV
echo 'echo from bash_env; f() { echo f; }' > rc; BASH_ENV=./rc bash -c 'f'
== ENV of an interactive sh
echo 'echo from env' > rc; ENV=./rc sh -c 'echo not interactive'; ENV=./rc sh -i -c 'echo interactive' 2>/dev/null
== --rcfile and --norc
echo 'echo rc' > rc; bash --rcfile rc -i -c 'echo body' 2>/dev/null; bash --norc -c 'echo no'
== --posix
bash --posix -c 'set -o | grep posix; echo $POSIXLY_CORRECT'; POSIXLY_CORRECT=1 bash -c 'set -o | grep posix'
== -e -x -v as options
bash -e -c 'false; echo no'; echo $?; bash -x -c 'echo x'; bash -v -c 'echo v'; bash -ec 'echo e'
== -o options
bash -o pipefail -c 'false | true'; echo $?; bash -O extglob -c 'shopt extglob'
== -c with a name and arguments
bash -c 'echo "$0: $@"' name 'a b' c; bash -c 'echo $#' x 1 2 3; sh -c 'echo $0 $1' a b
== -c without a script
bash -c; echo $?; sh -c; echo $?
== an option that is none
bash --nonsense; echo $?; bash -Z -c true; echo $?
== --version and --help
bash --version | head -1; bash --help | head -1
== -r is restricted
bash -r -c 'cd /; echo $?; echo x > f; /bin/ls'; echo $?
== -- ends options
bash -c -- 'echo dashes'; echo $?
== -s reads a script
echo 'echo "$@"' | bash -s -- -a b; echo 'echo $-' | sh -s
== a file named like an option
echo 'echo odd' > ./-x; bash -- -x; bash ./-x
== a file that is not there
bash nothing; echo $?; dash nothing; echo $?
== a folder as a script
mkdir d; bash d; echo $?
== a binary as a script
bash /bin/true; echo $?
== a script with NULs
printf 'echo a\0b\necho c\n' > s; bash s; echo $?
== a script with carriage returns
printf 'echo a\r\nfalse\r\n' > s; bash s; echo $?
== a script with a byte order mark
printf '\357\273\277echo bom\n' > s; bash s; echo $?
== a script that rewrites itself
printf 'echo one\necho "echo two" >> s\n' > s; bash s
== a long script
for i in $(seq 5000); do echo ": line $i"; done > s; echo 'echo end $LINENO' >> s; bash s
== long arguments
x=$(head -c 100000 /dev/zero | tr '\0' x); sh -c 'echo ${#1}' sh "$x"; bash -c "echo ${#x}; : $x"
== many arguments
bash -c 'echo $# ${!#}' sh $(seq 20000); sh -c 'echo $#' $(seq 5000)
== too long an argument
x=$(head -c 140000 /dev/zero | tr '\0' x); /bin/echo "$x" | wc -c; echo "${PIPESTATUS[0]}"
== empty arguments
sh -c 'printf "<%s>" "$@"; echo' sh '' a '' ''; echo
== odd bytes in arguments
sh -c 'printf "%s" "$1" | od -c' sh $'\377\t\n\001'
== setuid bits and a shell
bash -p -c 'echo $-'
== a restart by itself
if [ -z "$again" ]; then again=1 exec "$BASH" -c "$BASH_EXECUTION_STRING" "$0"; fi; echo "again $0"
== BASH_ARGV0
BASH_ARGV0=renamed; echo $0
