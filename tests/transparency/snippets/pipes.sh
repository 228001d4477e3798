== the exit code is that of the last command [core]
false | true; echo $?; true | false; echo $?; exit 3 | cat; echo "${PIPESTATUS[@]}"
== pipefail
set -o pipefail; false | true; echo $?; exit 5 | cat | cat
== a long pipeline
seq 1000 | sort -r | sort -n | tac | tac | head -500 | tail -1 | rev | rev | wc -c
== errors go into the pipe as well
{ echo out; echo err >&2; } |& sort | tr a-z A-Z
== head ends its writer [core]
yes | head -3; echo "${PIPESTATUS[@]}"
== head ends a loop of the shell's own
{ while echo line; do :; done; } 2>/dev/null | head -2; echo "${PIPESTATUS[@]}"
== a writer that ignores a broken pipe
(trap '' PIPE; yes 2>/dev/null; echo $? >&2) | head -1
== a broken pipe under pipefail
set -o pipefail; yes | head -1; echo $?
== seq into head with an error on the way
seq 100000 2>&1 | head -2 | cat -n
== dash: head ends its writer [dash]
yes | head -3; echo $?
== no reader at all
echo hello | true; echo $?
== a reader that ends first
(sleep 0.05; echo late) | true; echo ${PIPESTATUS[0]}
== tee into files and on
printf '%s\n' a b c | tee one two | wc -l; cat one two
== tee to the errors [deaf]
echo both | tee /dev/stderr | sort | tr a-z A-Z
== process substitution to read
diff <(printf '1\n2\n') <(printf '1\n3\n'); paste <(seq 3) <(seq 4 6)
== process substitution to write
{ echo into; } > >(cat > file); wait $!; cat file
== the number of a process substitution
cat <(echo one) <(echo two); echo <(:) | sed 's/[0-9]*$/N/'
== process substitution and its exit code
cat < <(echo text; exit 7); wait $!; echo $?
== a named pipe [core opened]
mkfifo fifo; (seq 5 > fifo) & cat fifo; wait $!; echo $?
== two named pipes [opened]
mkfifo to from; (tr a-z A-Z < to > from) & exec 3>to 4<from; echo question >&3; exec 3>&-; cat <&4; wait
== a named pipe opened for both
mkfifo fifo; exec 5<>fifo; echo one >&5; read -r line <&5; echo "got $line"
== coproc [core]
coproc { read -r line; echo "heard $line"; }; echo hello >&"${COPROC[1]}"; cat <&"${COPROC[0]}"; wait; echo $?
== coproc with a name
coproc ADD { while read -r a b; do echo $((a + b)); done; }
echo 1 2 >&"${ADD[1]}"; read -r sum <&"${ADD[0]}"; echo 3 4 >&"${ADD[1]}"; read -r more <&"${ADD[0]}"; echo $sum $more
== lastpipe
shopt -s lastpipe; echo value | read -r x; echo "x=$x"
== without lastpipe
x=before; echo value | read -r x; echo "x=$x"
== a pipe into a while loop
seq 3 | while read -r n; do echo "n=$n"; done; echo "${n-unset}"
== the size of a pipe, filled to the brim
(dd if=/dev/zero bs=65536 count=1 status=none; echo full >&2; mkfifo f; echo > f) | (until [ -p f ]; do :; done; read -r x < f; wc -c)
== many small writes
for i in $(seq 300); do echo $i; done | md5sum
== one byte at a time
printf abcdef | while IFS= read -r -n1 c; do printf '<%s>' "$c"; done; echo
== xargs in a pipe
seq 10 | xargs -n3 echo; seq 4 | xargs -P2 -n1 true; echo $?
== a pipeline with negation and time
! true | false; echo $?; ! false; echo $?
== an or list over a pipe
false | cat && echo yes || echo no
== a pipe that is inherited open
exec 3> >(cat >caught); echo text >&3; pid=$!; exec 3>&-; wait $pid; cat caught
== dd counts what it moved
printf '%s' 0123456789 | dd bs=3 count=2 2>&1 | head -3 | cut -d, -f1
== split to several readers
seq 6 | { head -c 4; cat; }
== sort with a temporary folder
mkdir tmp; seq 20000 | TMPDIR=tmp sort -S 32k -r | head -1; ls tmp
== stdbuf
printf 'a\nb\n' | stdbuf -oL tr a-z A-Z | stdbuf -o0 cat
== a pipe closed on both sides [dash]
: | : | :; echo $?
== grep ends early
seq 100000 | grep -q 5; echo "${PIPESTATUS[1]}"
== cat of nothing
: | cat; cat /dev/null | wc -c
