"""The shell scripts that run in a box. They use what POSIX and Debian's essential packages have.

The box's main process is `MAIN`, as `grade`; the others are run by `exec`. Nothing is put into
their text: what varies comes as arguments.
"""

from __future__ import annotations

from traceproof.sandbox.layout import CHANNEL, HOME, PRIVATE, STASH

MAIN = f"""\
umask 022
mkdir {PRIVATE} && mkfifo -m 0622 {CHANNEL} && exec 3<>{CHANNEL} || exit 70
cat <&3 &
state() {{
    n=0 o=0
    for f in /sys/fs/cgroup/pids/pids.current /sys/fs/cgroup/pids.current; do
        [ -r $f ] && read -r n <$f
    done
    for f in /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events; do
        [ -r $f ] && while read -r k v; do [ $k = oom_kill ] && o=$v; done <$f
    done
    echo "state $n $o" >&2
}}
echo ready >&2
while read -r word argument; do
    case $word in
    mark) printf '%s\\n' "$argument" >&3 ;;
    state) state ;;
    esac
done
"""
"""Makes the channel, sends what is written to it to its own stdout, and answers on stderr.

`cat` holds the channel by a descriptor that both reads and writes: it never ends. Answers need no
new process, so a box that is full of them still answers. When the owner is gone, so is the input,
and with it the box.
"""

RUN = """\
[ "$1" = work ] && echo 1000 >/proc/self/oom_score_adj
cd -P -- "$2" || exit 126
unset OLDPWD
who=$1 seconds=$3
shift 3
exec 4>&2 2>/dev/null
(exec timeout -k 5 "$seconds" "$@" 2>&4 4>&-)
status=$?
[ $who = work ] && kill -s KILL -- -1
exit $status
"""
"""Arguments: who, where, how long, the command. Then ends all that `work` has running.

The shell's own words about how its child died are not the command's; dash would say them where the
child's stderr goes, if it were not for the parentheses.
"""

END = "kill -s KILL -- -1"

FILL = f"""\
chmod 700 {HOME} && chmod 755 /run && cd {STASH} || exit
files() {{ find . -print0; }}
order() {{ LC_ALL=C sort -z; }}
if [ -n "$2" ]; then
    printf %s "$2" >/tmp/order
    order() {{ LC_ALL=C sort -zR --random-source=/tmp/order; }}
fi
files | order |
    tar -c --null --no-recursion --verbatim-files-from -T - -f - |
    tar -x -p --delay-directory-restore -f - -C "$1"
status=$?
rm -f /tmp/order
exit $status
"""
"""Arguments: the workspace; what its order hangs on, 16 characters or more, or nothing: sorted.

The engine gives a mount the mode that the image's folder has, whatever was asked for (runc 1.1).
"""

FILLED = "filled\n"

FILL_AND_RUN = f"""\
fill() (
{FILL})
said=$(fill "$1" "$2" 2>&1 >/dev/null </dev/null)
status=$?
if [ $status != 0 ] || [ -n "$said" ]; then
    printf '%s\\n' "$said" >&2
    exit 1
fi
echo filled
unset said status
shift 2
{RUN}"""
"""Arguments: those of `FILL`, then those of `RUN`: one command less for each box.

The word `filled` comes before anything that the command could say.
"""

EMPTY = """\
workspace=$1
made() { find "$folder" -xdev -depth -mindepth 1 -user "$user" ! -samefile "$workspace" "$@"; }
user=$(id -u)
for folder; do
    find "$folder" -xdev -type d -user "$user" ! -perm -700 -exec chmod u+rwx {} \\;
    made -delete
    [ -z "$(made -print -quit)" ] || exit
done
command -v ipcrm >/dev/null && ipcrm --all
true
"""
"""Arguments: the workspace, and where else `work` may have written.

A folder that the engine made, for another to be mounted in, is root's and stays.
"""

UNPACK = 'mkdir -p -- "$1" && exec tar -x -p -f - -C "$1"'

READ = """\
[ -e "$1" ] || [ -L "$1" ] || exit 44
[ -f "$1" ] && [ ! -L "$1" ] || exit 45
exec head -c "$2" -- "$1"
"""
