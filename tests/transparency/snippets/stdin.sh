== read a line [core]
read -r line; echo "$line"; echo $?
== read all
cat
== read nothing: it is left for the next [core]
echo hello
== read one line, leave the rest [core]
read -r line; echo "got $line"
== read three characters
read -r -n 3 x; echo "$x"; read -r -N 5 y; echo "$y"
== read until a delimiter
read -r -d t x; echo "$x"; read -r rest; echo "$rest"
== read into an array
mapfile -t lines; echo ${#lines[@]}; echo "${lines[-1]}"
== mapfile -n leaves the rest
mapfile -n 1 -t lines; echo "${lines[0]}"; cat
== head takes a block of it
head -1; echo; head -1
== sed quits
sed 2q; cat
== sed -u quits and leaves the rest
sed -u 1q; cat
== a loop reads it
while read -r a b; do echo "$a/$b"; done
== a loop whose body eats it
while read -r line; do echo "loop $line"; cat; done
== a loop with -u
exec 5<&0; while read -r -u 5 line; do echo "$line"; done
== a nested shell reads on
read -r x; bash -c 'read -r y; echo "inner $y"'; read -r z; echo "outer $x $z"
== a script from stdin [core stdin untyped]
echo "running $0"; read -r line; echo "read: $line"
echo next
cat <<END
text
END
exit 3
echo not reached
== dash: a script from stdin [stdin dash untyped]
echo running; read -r line; echo "read: $line"
not to be run
echo end
== read -t 0 asks
read -t 0; echo $?
== read -t with something there
read -r -t 5 line; echo "$? $line"
== read -t that runs out
mkfifo f; exec 3<>f; read -r -t 0.05 x <&3; echo $(($? > 128))
== read at the end of it
cat > /dev/null; read -r x; echo "$? <$x>"
== read without -r
printf 'a\\\nb\n' | { read x; echo "$x"; }
== IFS
IFS=: read -r a b c <<< 1:2:3:4; echo "$a|$b|$c"
== read -p says nothing where there is no terminal
read -r -p 'prompt> ' x; echo "$x"
== read -s
read -r -s x; echo "$x"
== select
PS3='? '; select x in alpha beta; do echo "chose $x"; break; done <<< 2
== dd takes some bytes
dd bs=1 count=5 2>/dev/null; echo; cat
== python reads a line, and python's buffer takes the rest
python3 -c 'import sys; print(sys.stdin and sys.stdin.readline())'; cat
== python reads unbuffered
python3 -c 'import os
try: print(os.read(0, 4))
except OSError as e: print(e.errno)'; cat
== stdin is closed for a child
cat <&-; echo $?; cat
== stdin from /dev/null for a child
cat < /dev/null; cat
== seek on it
python3 -c 'import os
try: print(os.lseek(0, 0, 1))
except OSError as e: print(e.errno)'
== tail, wc and sort read all
tee copy | wc -lc; tail -1 copy; sort -r copy | head -1
== a background reader and a foreground one
(sleep 0.05; cat > bg) & wait; cat; wc -c < bg 2>/dev/null
== cat - twice
cat - -
== ssh-like reader in a loop
printf '%s\n' a b c | while read -r x; do head -c 0; echo $x; done
== dash: read [dash]
read -r a; echo "$a"; read -r b; echo "$b"; cat
== xargs from stdin
xargs -n1 echo item
== stdin is read to the end by exec
exec cat
== a byte at a time to the end [untyped]
while IFS= read -r -N1 c; do printf '%s.' "$c"; done; echo
== bash -s with arguments
echo 'echo "$# $2"' | bash -s one two; bash -s <<< 'exit 5'; echo $?
== interactive questions are answered
rm -i nothing; echo x > f; rm -i f < /dev/null; ls
== poll says it is readable
python3 -c 'import select, sys
p = select.poll(); p.register(0); print(bool(p.poll(5000)))'
== whether input is the same as output
[ /dev/fd/0 -ef /dev/fd/1 ]; echo $?; [ /dev/fd/1 -ef /dev/fd/2 ]; echo $?
