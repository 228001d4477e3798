== no newline at the end
printf text; printf err >&2
== nothing at all [core]
true
== invalid UTF-8 [core]
printf '\377\376\200abc\303\n'; printf '\300\n' >&2
== NULs
printf 'a\0b\0'; head -c 10 /dev/zero
== every byte
for i in $(seq 0 255); do printf "\\$(printf %03o $i)"; done | cat; echo
== escape sequences
printf '\033[31mred\033[0m\a\b\t\v\f\r\n'
== carriage returns
printf 'one\rtwo\r\nthree\n'
== a megabyte [core roomy]
head -c 1000000 /dev/zero | tr '\0' x
== both streams at once
for i in $(seq 50); do echo out $i; echo err $i >&2; done
== in turn, in one process each
for i in 1 2 3 4 5; do echo out $i; sh -c "echo err $i >&2"; done
== long lines
head -c 50000 /dev/zero | tr '\0' y; echo
== many lines
seq 9000
== big on one, small on the other [roomy]
head -c 300000 /dev/zero | tr '\0' a; echo done >&2; head -c 200000 /dev/zero | tr '\0' b
== big errors [roomy]
head -c 300000 /dev/zero | tr '\0' e >&2; echo done
== a write that is larger than any pipe [roomy]
python3 -c 'import os
data = b"z" * 700000
while data: data = data[os.write(1, data):]'
== pages of exact sizes
for n in 4095 4096 4097; do head -c $n /dev/zero | tr '\0' .; echo; done
== 65536 bytes and one more [roomy]
head -c 65536 /dev/zero; printf x; head -c 65537 /dev/zero
== isatty [core]
for n in 0 1 2; do [ -t $n ]; echo $?; done
== what python thinks of its streams
python3 -c 'import sys
for s in (sys.stdin, sys.stdout, sys.stderr): print(s and (s.isatty(), s.encoding, s.errors))'
== ls in columns or not
touch a b c d; ls; ls --color=auto
== grep colours or not
echo needle | grep --color=auto needle
== what kind of file output is
for n in 0 1 2; do stat -L -c %F /dev/fd/$n 2>/dev/null || echo closed; done
== the access mode of each
python3 -c 'import fcntl
for n in range(3):
    try: print(fcntl.fcntl(n, fcntl.F_GETFL) & ~0o100000, fcntl.fcntl(n, fcntl.F_GETFD))
    except OSError as e: print(e.errno)'
== whether 1 and 2 are one
python3 -c 'import os
try: a, b = os.fstat(1), os.fstat(2); print(a.st_ino == b.st_ino or (a.st_rdev and a.st_rdev == b.st_rdev))
except OSError as e: print(e.errno)'
== the size of pipes and the buffers of sockets [deaf]
python3 -c 'import fcntl, os, socket
for n in (1, 2):
    try: print(fcntl.fcntl(n, 1032))
    except OSError as e: print(e.errno)
    try:
        s = socket.socket(fileno=os.dup(n)); print(s.family, s.type, s.getsockopt(1, 7))
    except OSError as e: print(e.errno)'
== the owner and the mode of output
for n in 1 2; do stat -L -c '%u %g %a' /dev/fd/$n 2>/dev/null || echo closed; done
== non-blocking output
python3 -c 'import os
for n in range(3):
    try: print(os.get_blocking(n))
    except OSError as e: print(e.errno)'
== fsync of output
python3 -c 'import os
for n in (1, 2):
    try: os.fsync(n); print("synced")
    except OSError as e: print(e.errno)'
== echo -n, -e, and printf
echo -n a; echo -e 'b\tc'; printf '%5.2f|%-5s|%q\n' 3.14159 x 'a b'
== dash: echo [dash]
echo 'a\tb'; echo -n x; printf '%s\n' y
== unicode
printf 'h\u00e9llo \u4e16\u754c \U0001F600\n'; echo "${#LANG}"
== printf to a full device
echo text > /dev/full; echo $?; cat /etc/passwd > /dev/full; echo $?
== error messages name the shell [core]
nonsense-command; ./nonsense; /nonexistent; echo $?; . ./nothing; cd /nonexistent; echo ${x?unset}
== dash: error messages [dash]
nonsense-command; ./nonsense; echo $?; cd /nonexistent; ${x?unset}
== sh: error messages [sh]
nonsense-command; echo $?; . /nonexistent; echo not reached
== a syntax error
echo before
if then
== an unfinished quote
echo 'never ended
== dash: a syntax error [dash]
echo before; )
== an arithmetic error
echo $((1/0)); echo after; (( 08 )); echo $?
== a read-only variable
readonly x=1; x=2; echo $?
== line numbers in messages
true
true
nonsense
echo $LINENO
