== EXIT [core]
trap 'echo bye $?' EXIT; echo hello; exit 3
== EXIT at the end of the script
trap 'echo bye $?' EXIT; false
== EXIT after a signal to itself
trap 'echo bye' EXIT; kill -TERM $$; echo not reached
== EXIT in a subshell
trap 'echo outer' EXIT; (trap 'echo inner' EXIT; exit 4); echo $?
== EXIT changes the code
trap 'exit 9' EXIT; exit 3
== TERM is caught [core]
trap 'echo caught; exit 5' TERM; kill $$; echo after
== INT is caught
trap 'echo caught' INT; kill -INT $$; echo on
== HUP, QUIT, USR1, USR2, ALRM, WINCH, CONT and PIPE are caught [core]
for s in HUP QUIT USR1 USR2 ALRM WINCH CONT PIPE; do trap "echo $s" $s; done
for s in HUP QUIT USR1 USR2 ALRM WINCH CONT PIPE; do kill -$s $$; done; echo done
== real-time signals
trap 'echo first' RTMIN; trap 'echo last' RTMAX; kill -RTMIN $$; kill -RTMAX $$; echo done
== several of one kind while it waits
trap 'echo got' USR1; (kill -USR1 $$; sleep 0.05; kill -USR1 $$) & wait $!; wait; echo done
== ERR
trap 'echo failed on $LINENO: $?' ERR; true; false; (exit 4); echo end
== ERR is not inherited, and is with -E
f() { false; true; }; trap 'echo err' ERR; f; set -E; f
== DEBUG
trap 'echo "+ $BASH_COMMAND"' DEBUG; a=1; echo $a
== RETURN
f() { trap 'echo returned' RETURN; echo in; }; f
== CHLD
set -m; trap 'echo child' CHLD; sleep 0.01; trap - CHLD; echo end
== ignored
trap '' TERM INT HUP; kill -TERM $$; kill -INT $$; kill -HUP $$; echo still here
== ignored is inherited
trap '' TERM; bash -c 'kill -TERM $$; echo survived'
== caught is not inherited
trap 'echo outer' TERM; bash -c 'trap -p TERM; kill -TERM $$; echo not reached'; echo $?
== reset
trap 'echo x' USR1; trap - USR1; trap -p; kill -USR1 $$
== trap -p lists what is set
trap 'echo a' EXIT; trap '' INT; trap 'echo b' USR1; trap -p
== trap -p of a fresh shell [core]
trap -p; trap
== what a subshell sees
trap 'echo x' USR1; (trap -p); (trap 'echo y' USR2; trap -p)
== a trap while a child runs
trap 'echo caught' TERM; (sleep 0.05; kill -TERM $$) & sleep 0.2; echo after; wait
== a trap interrupts wait [core]
trap 'echo caught' USR1; (sleep 0.05; kill -USR1 $$; sleep 0.05) & wait $!; echo $?; wait; echo $?
== a trap interrupts read
trap 'echo caught' USR1; mkfifo f; exec 3<>f; (sleep 0.05; kill -USR1 $$; sleep 0.05; echo line >&3) & read -r x <&3; echo "$x"; wait
== dash: EXIT and TERM [dash]
trap 'echo bye' EXIT; trap 'echo term; exit 6' TERM; kill $$; echo not reached
== dash: a fresh shell has no traps [dash]
trap; echo end
== dash: a signal kills [dash]
kill -USR1 $$
== killed by TERM [core]
echo before; kill -TERM $$; echo after
== killed by KILL [core]
echo before; kill -KILL $$; echo after
== killed by SEGV
kill -SEGV $$
== killed by ABRT
echo abort >&2; kill -ABRT $$
== killed by PIPE
kill -PIPE $$
== killed by HUP
kill -HUP $$
== killed by INT
kill -INT $$
== killed by QUIT
kill -QUIT $$; echo bash lets this pass
== killed by USR1
kill -USR1 $$
== killed by ALRM
kill -ALRM $$
== killed by a real-time signal
kill -RTMIN+3 $$
== killed by XCPU, FPE, ILL, BUS and SYS in turn
for s in XCPU FPE ILL BUS SYS; do bash -c "kill -$s \$\$" 2>/dev/null; echo $?; done
== killed in a subshell
(kill -TERM $BASHPID; echo not reached); echo $?
== killed in a pipeline
(kill -KILL $BASHPID) | cat; echo "${PIPESTATUS[@]}"
== what a shell says of those it lost [core]
sh -c 'kill -TERM $$'; sh -c 'kill -KILL $$'; sh -c 'kill -SEGV $$'; sh -c 'kill -ABRT $$'; echo $?
== exec, then killed
exec sh -c 'echo in; kill -TERM $$'
== kill 0 with a handler
trap 'echo caught' TERM; kill -TERM 0; echo on
== kill 0 without a handler
trap 'echo bye' EXIT; kill -USR2 0; echo not reached
== kill 0 in a subshell
trap 'echo outer' USR1; (trap 'echo inner' USR1; kill -USR1 0; sleep 0); wait; echo end
== kill 0 reaches children [calm]
mkfifo q; (trap 'echo child > g; exit 0' TERM; echo ready > f; read -r x < q) & trap 'echo parent' TERM
until [ -s f ]; do sleep 0.01; done; kill 0; wait; wait; cat g; echo end
== kill -0 asks
kill -0 $$; echo $?; kill -0 0; echo $?
== a signal to the parent of a subshell
trap 'echo from below' USR1; (kill -USR1 $$); echo end
== an exit in a trap of a function
f() { trap 'echo in f; exit 8' USR1; kill -USR1 $$; }; f; echo not reached
== nested signals
trap 'echo one; kill -USR2 $$; echo two' USR1; trap 'echo inner' USR2; kill -USR1 $$; echo end
== stop and go on by a child
trap 'echo continued' CONT; (sleep 0.1; kill -CONT $$) & kill -STOP $$; wait; echo end
== a timer of a child
timeout 0.1 sleep 5; echo $?; timeout -s KILL 0.1 sleep 5; echo $?
== timeout of the shell itself
timeout 5 bash -c 'exit 4'; echo $?; timeout -s INT 0.1 bash -c 'trap "echo int; exit 3" INT; sleep 5'; echo $?
== kill -l
kill -l 15; kill -l TERM; kill -l 143
== no such process
kill -TERM 999999999 2>&1 | sed 's/^.*: //'; echo "${PIPESTATUS[0]}"
