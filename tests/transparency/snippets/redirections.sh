== a here-document [core]
cat <<END
one $((1 + 1)) $(echo three)
END
== a quoted here-document
cat <<'END'
$HOME `no` \n
END
== a here-document with tabs
cat <<-END
	indented
	END
== two here-documents
paste - /dev/fd/3 <<ONE 3<<TWO
a
b
ONE
c
d
TWO
== a here-document that is not ended
cat <<END
to the end
== a long here-document
{ echo 'cat <<END | md5sum'; seq 30000; echo END; } > s; . ./s
== a here-string [core]
cat <<< "text"; tr a-z A-Z <<< $'two\nlines'; read -r a b <<< "1 2"; echo $b
== a here-document into a loop
while read -r x y; do echo "$y $x"; done <<END
1 2
3 4
END
== dash: a here-document [dash]
x=5; cat <<END
value $x
END
== dash: a here-document in a pipe [dash]
cat <<END | tr a-z A-Z
text
END
== exec of output to a file [core]
exec 3>&1 >file; echo hidden; exec >&3 3>&-; echo shown; cat file
== exec of errors to output
exec 2>&1; echo out; echo err >&2; ls /nonexistent-folder
== exec of output to errors
exec >&2; echo out; echo err >&2
== output and errors change places [core]
{ echo out; echo err >&2; } 3>&1 1>&2 2>&3 3>&-
== exec closes output
exec >&-; echo lost; echo $? >&2
== exec closes errors
exec 2>&-; echo lost >&2; echo $?; ls /nonexistent-folder; echo $?
== exec closes all three
exec <&- >&- 2>&-; echo x > file; cat < file > file2
== closed for one command
echo x >&-; echo $?; cat <&- ; echo $?
== descriptors 3 to 9 [core]
for n in 3 4 5 6 7 8 9; do eval "exec $n>file$n"; echo $n >&$n; done; for n in 3 4 5 6 7 8 9; do eval "exec $n>&-"; done; cat file?
== descriptors beyond 9
exec 10>a 63>b 200>c; echo ten >&10; echo 63 >&63; echo 200 >&200; cat a b c
== a descriptor of the shell's choice
exec {fd}>file; echo $((fd >= 10)); echo text >&$fd; exec {fd}>&-; cat file
== which descriptors are free
set -- /proc/$$/fd/*; echo "${@##*/}"; python3 -c 'import os; print(os.listdir("/proc/self/fd"))'
== moved descriptors
exec 3>file; echo a >&3; exec 4>&3-; echo b >&4; { echo c >&3; } 2>/dev/null; echo $?; cat file
== opened to read and write
echo 12345 > file; exec 3<>file; read -r -n2 x <&3; echo XX >&3; exec 3>&-; echo $x; cat file
== noclobber
set -C; echo a > file; echo b > file; echo $?; echo c >| file; cat file
== append
echo a > file; echo b >> file; cat file; { echo c; echo d; } >> file; wc -l < file
== &> and &>>
{ echo a; echo b >&2; } &> file; { echo c; echo d >&2; } &>> file; cat file
== the order of redirections
ls /nonexistent-folder 2>&1 >/dev/null | wc -l; ls /nonexistent-folder >/dev/null 2>&1; echo $?
== /dev/stdout and /dev/stderr [deaf]
echo out > /dev/stdout; echo err > /dev/stderr; echo again >&1
== /dev/stdout opened again and again [deaf]
for i in 1 2 3; do echo $i >> /dev/stdout; done
== /dev/fd/1 and /proc/self/fd/2 [deaf]
echo out > /dev/fd/1; echo err | tee /proc/self/fd/2
== /dev/stdin
cat /dev/stdin | head -1; cat /dev/fd/0
== a redirection that fails
echo x > /nonexistent-folder/file; echo $?; exec 3< /nonexistent; echo not reached in posix mode
== a redirection that fails ends dash [dash]
exec 3< /nonexistent; echo not reached
== a redirection of a function
f() { echo in f; echo err >&2; }; f > a 2> b; cat b a; f 2>&1 | wc -l
== a redirection of a loop
for i in 1 2 3; do echo $i; done > file; cat file; while read -r x; do echo "<$x>"; done < file
== a redirection and nothing else
> empty; < empty; ls -s empty
== $(< file)
echo content > file; echo "$(< file)"; x=$(< /nonexistent) ; echo $?
== in the middle of output [deaf]
echo one; exec 3>&1; echo two >&3; exec 1>/dev/null; echo lost; exec 1>&3; echo three
== shared offset of a copied descriptor
exec 3>file 4>&3; echo a >&3; echo b >&4; echo c >&3; cat file
== truncated under our hands
echo long text > file; exec 3>>file; : > file; echo short >&3; cat file
== a directory is no file
cat .; echo $?; echo x > .; echo $?
== closing what is closed
exec 5>&-; exec 5>&-; echo $?; echo x >&5; echo $?
== many here-strings
for i in 1 2 3 4 5 6 7 8 9 10; do read -r x <<< "n$i"; printf '%s ' $x; done; echo
== a pipe as a descriptor
exec 8< <(seq 3); while read -r x <&8; do echo $x; done; exec 8<&-
== lseek on output [deaf]
python3 -c 'import os
try: print(os.lseek(2, 0, 1) >= 0)
except OSError as e: print(e.errno)'
