.set PRCTL, 167
.set PRLIMIT, 261
.set SOCKETPAIR, 199
.set FCNTL, 25
.set SIGPROCMASK, 135
.set SIGACTION, 134
.set SIGTIMEDWAIT, 137
.set CLONE, 220
.set EXECVE, 221
.set EXECVEAT, 281
.set EXIT_GROUP, 94
.set KILL, 129
.set WAIT4, 260
.set OPENAT, 56
.set CLOSE, 57
.set DUP3, 24
.set GETPID, 172
.set GETPPID, 173
.set WRITE, 64
.set READ, 63
.set RECVMSG, 212
.set MMAP, 222
.set MUNMAP, 215
.set MEMFD_CREATE, 279
.set SENDFILE, 71

// the config, the frame and what is done are those of x86_64.s
.set MARKER, 0
.set PREFIX, 8
.set REAL, 16
.set PYTHON, 24
.set ARGUMENTS, 32
.set ENVIRONMENT, 56
.set DASH_C, 64
.set NULL, 72
.set ITSELF, 80
.set NAME, 88
.set COPY, 96
.set SIZE, 104
.set LAUNCHER, 112

.set PAIR, 0
.set OUTER, 8
.set OLD_MASK, 16
.set PLACE, 40
.set ERRORS, 48
.set SAID, 56
.set LIMIT, 56
.set LINES, 128
.set FRAME, 1024

.macro sys number
    mov x8, #\number
    svc #0
.endm

// x19 argc and argv, x20 envp, x21 config, x22 the socket, x23 shell's process, x24 program,
// x28 whether all is left to the program
start:
    mov x19, sp
    ldr x0, [sp]
    add x20, sp, x0, lsl #3
    add x20, x20, #16
    adr x21, config
    sub sp, sp, #FRAME
    mov x23, #0
    mov x24, #0
    mov x28, #0
    mov x0, #30                     // PR_GET_TIMERSLACK
    sys PRCTL
    ldr x1, [x21, #MARKER]
    cmp x0, x1
    b.eq real
    adr x25, limits
1:  ldr x26, [x25], #8              // too little for a Python? then unrecorded
    and x1, x26, #255
    cmp x1, #255
    b.eq 2f
    mov x0, #0
    mov x2, #0
    add x3, sp, #LIMIT
    sys PRLIMIT
    ldr x0, [sp, #LIMIT]
    cmp x0, x26, lsr #8
    b.lo real
    b 1b
2:  mov x0, #2
    mov x1, #1                      // F_GETFD
    sys FCNTL
    str x0, [sp, #ERRORS]
    add x3, sp, #PAIR
    bl pair
    tbnz w0, #31, real
    add x3, sp, #OUTER
    bl pair
    tbnz w0, #31, real
    mov x0, #2                      // SIG_SETMASK
    adr x1, everything
    add x2, sp, #OLD_MASK
    mov x3, #8
    sys SIGPROCMASK
    sys GETPID
    mov w25, w0                     // for the shell's process: its parent
    bl fork                         // before the program: it is to miss nothing that one saw
    tbnz w0, #31, back
    cbz w0, body
    mov w23, w0
    bl fork
    tbnz w0, #31, back
    cbz w0, program
    mov w24, w0
    ldr w0, [sp, #PAIR]
    sys CLOSE
    ldr w0, [sp, #PAIR + 4]
    sys CLOSE
    ldr w0, [sp, #OUTER]
    sys CLOSE
    ldr w22, [sp, #OUTER + 4]
    b next

program:                            // becomes Python
    ldr w0, [sp, #PAIR]
    bl keep
    tbnz w0, #31, exit
    mov w25, w0
    ldr w0, [sp, #OUTER]
    bl keep
    tbnz w0, #31, exit
    orr x25, x0, x25, lsl #16
    ldr x0, [sp, #ERRORS]
    tbnz w0, #31, 26f
    mov w0, #2                      // what a Python says that cannot start is not for the agent
    bl keep
26: and x0, x0, #65535
    orr x25, x0, x25, lsl #16
    mov w0, #-100                   // AT_FDCWD
    ldr x1, [x21, #NULL]
    add x1, x1, x21
    mov x2, #2                      // O_RDWR
    mov x3, #0
    sys OPENAT
    tbnz w0, #31, 3f
    cmp w0, #2
    b.eq 3f
    mov w26, w0
    mov x1, #2
    mov x2, #0
    sys DUP3
    mov w0, w26
    sys CLOSE
3:  add x1, sp, #SAID               // three descriptors as a word: 12 letters @ to O
    mov x2, #48
4:  sub x2, x2, #4
    lsr x3, x25, x2
    and x3, x3, #15
    add x3, x3, #64
    strb w3, [x1], #1
    cbnz x2, 4b
    strb wzr, [x1]
    add x1, sp, #LINES
    ldr x0, [x21, #PYTHON]
    add x0, x0, x21
    str x0, [x1]
    add x5, x21, #ARGUMENTS
    mov x2, #0
5:  ldr x3, [x5, x2, lsl #3]
    add x3, x3, x21
    add x2, x2, #1
    str x3, [x1, x2, lsl #3]
    cmp x2, #3
    b.ne 5b
    add x3, sp, #SAID
    str x3, [x1, #32]
    str xzr, [x1, #40]
    add x2, x1, #48
    ldr x5, [x21, #ENVIRONMENT]
    add x5, x5, x21
    mov x4, #0
6:  ldr x3, [x5, x4, lsl #3]
    cbz x3, 7f
    add x3, x3, x21
7:  str x3, [x2, x4, lsl #3]
    add x4, x4, #1
    cbnz x3, 6b
    sys EXECVE
    b exit

body:                               // becomes the shell, as the program says
    mov x0, #1                      // PR_SET_PDEATHSIG
    mov x1, #9
    sys PRCTL
    sys GETPPID
    cmp w0, w25
    b.ne exit
    ldr w0, [sp, #PAIR]
    sys CLOSE
    ldr w0, [sp, #OUTER]
    sys CLOSE
    ldr w0, [sp, #OUTER + 4]
    sys CLOSE
    ldr w22, [sp, #PAIR + 4]
    sys GETPID
    str x0, [sp, #SAID]
    ldr x0, [sp, #OLD_MASK]
    str x0, [sp, #SAID + 8]
    ldr w0, [sp, #OUTER + 4]
    str x0, [sp, #SAID + 16]
    mov w0, w22
    add x1, sp, #SAID
    mov x2, #24
    sys WRITE
next:                               // both: carry out one script after the other
    // msghdr at LINES, iovec at +64, header at SAID, control at +128 (64 bytes), table at +256
    bl zeros
    add x3, x1, #64
    str x3, [x1, #16]
    mov x2, #1
    str x2, [x1, #24]
    add x2, x1, #128
    str x2, [x1, #32]
    mov x2, #64
    str x2, [x1, #40]
    add x2, sp, #SAID
    str x2, [x3]
    mov x2, #24
    str x2, [x3, #8]
    mov w0, w22
    mov x2, #0x40000000             // MSG_CMSG_CLOEXEC
    orr x2, x2, #0x100              // MSG_WAITALL
    sys RECVMSG
    cmp x0, #24
    b.ne alone
    mov x0, #0
    ldr x1, [sp, #SAID]
    mov x2, #3
    mov x3, #0x22
    mov x4, #-1
    mov x5, #0
    sys MMAP
    cmn x0, #4095
    b.hs alone
    str x0, [sp, #PLACE]
    mov x25, x0
    ldr x26, [sp, #SAID]
8:  cbz x26, 9f
    mov w0, w22
    mov x1, x25
    mov x2, x26
    sys READ
    cmp x0, #0
    b.le alone
    add x25, x25, x0
    sub x26, x26, x0
    b 8b
9:  add x6, sp, #LINES + 256
    ldr x25, [sp, #PLACE]
    str x25, [x6]
    add x0, x19, #8
    str x0, [x6, #8]
    str x20, [x6, #16]
    add x0, sp, #OLD_MASK
    str x0, [x6, #24]
    str x22, [x6, #32]
    add x2, sp, #LINES + 144
    add x3, x6, #40
    mov x1, #12
10: ldr w0, [x2], #4
    str x0, [x3], #8
    subs x1, x1, #1
    b.ne 10b
    mov x4, x25
    ldr x26, [sp, #SAID + 8]
11: cbz x26, 12f
    ldr w0, [x25], #4
    ldr w1, [x25], #4
    ldr x2, [x6, x1, lsl #3]
    ldr x3, [x4, x0]
    add x3, x3, x2
    str x3, [x4, x0]
    sub x26, x26, #1
    b 11b
12: ldr x26, [sp, #SAID + 16]
13: cbz x26, 15f
    ldp x8, x0, [x25]
    ldp x1, x2, [x25, #16]
    ldp x3, x4, [x25, #32]
    ldr x5, [x25, #48]
    svc #0
    cmn x0, #4095
    b.lo 14f
    ldr x1, [x25, #56]
    tbz w1, #0, unable              // it may not fail
14: add x25, x25, #64
    sub x26, x26, #1
    b 13b
15: ldr x0, [sp, #PLACE]
    ldr x1, [sp, #SAID]
    sys MUNMAP
    mov x28, #1
    b next

alone:                              // the program is gone
    cbz w23, exit
    cbz x28, back
16: mov w0, w23                     // the shell runs: end as it ends
    add x1, sp, #SAID
    mov x2, #1                      // WNOHANG
    mov x3, #0
    sys WAIT4
    tbnz w0, #31, exit
    cbnz w0, 17f
    adr x0, everything
    mov x1, #0
    mov x2, #0
    mov x3, #8
    sys SIGTIMEDWAIT
    cmp w0, #0
    b.le 16b
    cmp w0, #17                     // SIGCHLD
    b.eq 16b
    cmp w0, #13                     // SIGPIPE: of an answer to the program
    b.eq 16b
    mov w1, w0
    mov w0, w23
    sys KILL
    b 16b
17: ldr w25, [sp, #SAID]
    ubfx w0, w25, #8, #8
    ands w25, w25, #127
    b.eq leave
    bl zeros
    mov w0, w25
    mov x2, #0
    mov x3, #8
    sys SIGACTION
    sys GETPID
    mov w1, w25
    sys KILL
    mov x0, #2
    add x1, sp, #LINES
    mov x2, #0
    mov x3, #8
    sys SIGPROCMASK
    add w0, w25, #128
    b leave

unable:                             // who had to go is gone
    mov x23, #0
    mov x24, #0
back:                               // no program: undo it all
    mov w25, w23
    bl end
    mov w25, w24
    bl end
    mov x0, #2
    add x1, sp, #OLD_MASK
    mov x2, #0
    mov x3, #8
    sys SIGPROCMASK
real:
    ldr x0, [x21, #REAL]
    add x0, x0, x21
    ldr x1, [x19, #8]               // argv[0]
    cbz x1, 27f
    ldr x2, [x21, #LAUNCHER]
    add x2, x2, x21
26: ldrb w3, [x1], #1
    ldrb w4, [x2], #1
    cmp w3, w4
    b.ne 27f
    cbnz w3, 26b
    str x0, [x19, #8]
27: add x1, x19, #8
    ldr x2, [x21, #PREFIX]
    cbz x2, 19f
    ldr x3, [x19]                   // argv: a word more than there is room for, so go down
    add x2, x3, #5
    bic x2, x2, #1
    sub sp, sp, x2, lsl #3
    mov x1, sp
    str x0, [x1]
    ldr x4, [x21, #DASH_C]
    add x4, x4, x21
    str x4, [x1, #8]
    add x5, x1, #16
    add x6, x19, #16
18: ldr x4, [x6], #8                // argv[1] and on, with the 0 at the end
    str x4, [x5], #8
    subs x3, x3, #1
    b.hi 18b
19: mov x25, x1
    mov x2, x20
    sys EXECVE
    cmn x0, #2                      // ENOENT
    cset w28, eq
    add w28, w28, #126
    ldr x23, [x21, #SIZE]           // the shell is not to be found: become a copy of it
    cbz x23, 23f
    mov w0, #-100                   // AT_FDCWD
    ldr x1, [x21, #ITSELF]
    add x1, x1, x21
    mov x2, #0x80000                // O_CLOEXEC
    mov x3, #0
    sys OPENAT
    tbnz w0, #31, 23f
    mov w26, w0
    mov w27, #0x11                  // MFD_CLOEXEC | MFD_EXEC
20: ldr x0, [x21, #NAME]
    add x0, x0, x21
    mov w1, w27
    sys MEMFD_CREATE
    tbz w0, #31, 21f
    cmp w27, #1
    b.eq 23f
    mov w27, #1                     // an older kernel
    b 20b
21: mov w27, w0
    sub sp, sp, #16
    ldr x0, [x21, #COPY]
    str x0, [sp]
22: mov w0, w27
    mov w1, w26
    mov x2, sp
    mov x3, x23
    sys SENDFILE
    cmp x0, #0
    b.le 23f
    subs x23, x23, x0
    b.ne 22b
    mov w0, w27
    str xzr, [sp]                   // an empty path
    mov x1, sp
    mov x2, x25
    mov x3, x20
    mov x4, #0x1000                 // AT_EMPTY_PATH
    sys EXECVEAT
23: mov w0, w28
    b leave
exit:
    mov x0, #127
leave:
    sys EXIT_GROUP

pair:                               // to x3
    mov x0, #1                      // AF_UNIX
    mov x1, #0x80000                // SOCK_CLOEXEC
    orr x1, x1, #1                  // SOCK_STREAM
    mov x2, #0
    sys SOCKETPAIR
    ret

keep:                               // w0 over exec, away from 0, 1 and 2
    mov x1, #0                      // F_DUPFD
    mov x2, #3
    sys FCNTL
    ret

zeros:                              // 512 of them at LINES; their place in x1
    add x1, sp, #LINES
    mov x2, #64
24: sub x2, x2, #1
    str xzr, [x1, x2, lsl #3]
    cbnz x2, 24b
    ret

fork:
    mov x0, #17                     // SIGCHLD
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    sys CLONE
    ret

end:                                // kill and reap w25
    cmp w25, #0
    b.le 25f
    mov w0, w25
    mov x1, #9
    sys KILL
    mov w0, w25
    mov x1, #0
    mov x2, #0x40000000             // __WALL
    mov x3, #0
    sys WAIT4
25: ret

.balign 8
everything: .quad -1
limits:                             // resource | least << 8
    .quad 9 | 400000000 << 8        // AS
    .quad 2 | 100000000 << 8        // DATA
    .quad 7 | 24 << 8               // NOFILE
    .quad 0 | 2 << 8                // CPU seconds
    .quad 3 | 1000000 << 8          // STACK
    .quad 255
config:
