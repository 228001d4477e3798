== waited for [core]
sleep 0.02 & wait; echo $?; (exit 3) & wait $!; echo $?
== not waited for [core outlives]
(sleep 0.1; echo late) & echo early
== writes errors after the end [outlives]
(sleep 0.1; echo late >&2; echo file > made) & exit 4
== three that outlive the shell [outlives]
for i in 1 2 3; do (sleep 0.$i; echo $i) & done; echo started
== outlives it with nothing open [outlives]
(exec <&- >&- 2>&-; sleep 0.1; echo done > made) & echo end
== nohup [outlives]
nohup sh -c 'sleep 0.1; echo late > made' > /dev/null 2>&1 & echo end
== setsid outlives [outlives]
setsid sh -c 'sleep 0.1; echo late; echo err >&2' & echo end
== disown [outlives]
sleep 0.1 & disown; jobs; echo end
== keeps its output open and writes nothing [outlives]
sleep 0.2 & echo end
== $! is the job
sleep 0.01 & p=$!; wait $p; echo $?; kill -0 $p 2>/dev/null; echo $?
== wait -n
(sleep 0.3; exit 3) & (exit 5) & wait -n; echo $?; wait -n; echo $?; wait -n; echo $?
== wait -p
(exit 5) & p=$!; wait -n -p got; echo $? $((p == got))
== wait for one that is no child
wait 1; echo $?
== wait for several
(exit 1) & a=$!; (exit 2) & b=$!; wait $a $b; echo $?; wait $a; echo $?
== jobs
sleep 0.05 & jobs; wait; jobs
== jobs -p counts
sleep 0.05 & sleep 0.05 & jobs -p | wc -l; wait
== kill a job by number [core]
sleep 5 & kill %1; wait %1; echo $?
== kill a job by name
sleep 5 & kill %sleep; wait; echo $?
== kill -9 a job
sleep 5 & kill -9 $!; wait $!; echo $?
== a background job reads nothing from us
cat & wait; read -r line; echo "$line"
== a background job with our input
cat <&0 & wait; echo end
== a background group
{ echo a; sleep 0.02; echo b; } & wait; echo c
== set -m in a script
set -m; sleep 0.02 & wait; echo $?; set +m; echo "$-" | tr -d c
== set -m: a job has its own group
set -m; sh -c 'ps -o pgid= -p $$ | tr -d " "; echo $$' | sort -u | wc -l
== set -m: a killed job is reported
set -m; sleep 5 & kill %1; wait %1; echo $?
== set -m: stopped and continued [calm]
set -m; sh -c 'kill -STOP $$; echo on' & until jobs | grep -q Stopped; do sleep 0.01; done; jobs; bg %1; wait %1; echo $?
== set -m: fg [calm]
set -m; sh -c 'sleep 0.05; exit 6' & fg %1; echo $?
== set -m: the group of a pipeline is killed
set -m; sleep 5 | sleep 5 & kill -- -$(jobs -p); wait %1; echo $?
== without set -m jobs are in our group
sleep 0.1 & a=$(ps -o pgid= -p $!); b=$(ps -o pgid= -p $$); [ "$a" = "$b" ]; echo $?; wait
== dash: a background job [dash]
(exit 7) & wait $!; echo $?
== dash: it outlives [dash outlives]
(sleep 0.1; echo late) & echo early
== dash: wait for none [dash]
wait; echo $?; wait 1; echo $?
== subshells are not jobs
(sleep 0.01); jobs; echo $?
== a tree of processes
(sh -c 'sh -c "exit 3"; exit $?'; exit $?); echo $?
== an orphan is not ours to wait for [outlives]
sh -c 'sleep 0.1 & '; wait; echo $?
== many jobs
for i in $(seq 30); do (exit $i) & done; wait; echo $?
== many jobs, each with its code
p=(); for i in 1 2 3 4 5; do (exit $i) & p+=($!); done; for q in "${p[@]}"; do wait $q; echo $?; done
== a job that stops itself
bash -c 'kill -STOP $$; echo on' & sleep 0.05; kill -CONT $!; until wait $!; do :; done; echo $?
== times has four lines' worth
times | wc -l
== background in a function
f() { sleep 0.01 & wait $!; return 4; }; f; echo $?
== a lock between jobs
for i in 1 2 3 4; do (flock 9; n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n) 9>lock & done; wait; cat n
== a job that inherits a descriptor
exec 7>file; (echo from the job >&7) & wait; exec 7>&-; cat file
== suspended and killed
sleep 5 & kill -STOP $!; kill -KILL $!; wait $!; echo $?
== SIGCHLD is at its default for children
python3 -c 'import signal; print(signal.getsignal(signal.SIGCHLD))'
