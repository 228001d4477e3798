.intel_syntax noprefix
.set PRCTL, 157
.set PRLIMIT, 302
.set SOCKETPAIR, 53
.set FCNTL, 72
.set SIGPROCMASK, 14
.set SIGACTION, 13
.set SIGTIMEDWAIT, 128
.set CLONE, 56
.set EXECVE, 59
.set EXECVEAT, 322
.set EXIT_GROUP, 231
.set KILL, 62
.set WAIT4, 61
.set OPEN, 2
.set CLOSE, 3
.set DUP2, 33
.set GETPID, 39
.set GETPPID, 110
.set WRITE, 1
.set READ, 0
.set RECVMSG, 47
.set MMAP, 9
.set MUNMAP, 11
.set MEMFD_CREATE, 319
.set SENDFILE, 40

# config, which Python appends: offsets from `config` unless said otherwise
.set MARKER, 0          # timer slack of a recorded command
.set PREFIX, 8          # 1: the arguments are a command line, and belong behind -c
.set REAL, 16           # path of the shell
.set PYTHON, 24         # path
.set ARGUMENTS, 32      # 3 words: -I -S program
.set ENVIRONMENT, 56    # offset of a table of offsets, 0 at its end
.set DASH_C, 64         # the word -c
.set NULL, 72           # /dev/null
.set ITSELF, 80         # a path of this file
.set NAME, 88           # the shell's
.set COPY, 96           # where in this file there is a copy of the shell
.set SIZE, 104          # and how long it is; 0: there is none
.set LAUNCHER, 112      # path of this file: as a command's name it is the shell's

# frame, from rsp
.set PAIR, 0            # 2 descriptors: the program, the shell's process
.set OUTER, 8           # 2 descriptors: the program, this process
.set OLD_MASK, 16
.set SOCKET, 24
.set LEFT, 32           # to the program, or to the shell: this process only waits
.set MAP, 40
.set ERRORS, 48         # the flags of descriptor 2; negative: it is closed
.set SAID, 56           # what is said to the program; header of its script, 3 words
.set LIMIT, 56
.set LINES, 128         # argument and environment vectors; message, control, table
.set FRAME, 1024

start:
    mov rbp, rsp                    # argc, argv
    mov rax, [rsp]
    lea r15, [rsp + rax*8 + 16]     # envp
    lea rbx, [rip + config]
    sub rsp, FRAME
    and rsp, -16
    xor r14d, r14d                  # pid of the shell's process
    xor r13d, r13d                  # pid of the program
    mov [rsp + LEFT], r13
    mov eax, PRCTL
    mov edi, 30                     # PR_GET_TIMERSLACK
    syscall
    cmp rax, [rbx + MARKER]
    je real
    lea r12, [rip + limits]
1:  movzx esi, byte ptr [r12]       # too little for a Python? then unrecorded
    mov eax, PRLIMIT
    xor edi, edi
    xor edx, edx
    lea r10, [rsp + LIMIT]
    syscall
    mov rcx, [r12]
    shr rcx, 8
    cmp [rsp + LIMIT], rcx
    jb real
    add r12, 8
    cmp byte ptr [r12], 255
    jne 1b
    mov eax, FCNTL
    mov edi, 2
    mov esi, 1                      # F_GETFD
    syscall
    mov [rsp + ERRORS], rax
    lea r10, [rsp + PAIR]
    call pair
    js real
    lea r10, [rsp + OUTER]
    call pair
    js real
    mov eax, SIGPROCMASK
    mov edi, 2                      # SIG_SETMASK
    lea rsi, [rip + everything]
    lea rdx, [rsp + OLD_MASK]
    mov r10d, 8
    syscall
    mov eax, GETPID
    syscall
    mov r12d, eax                   # for the shell's process: its parent
    call fork                       # before the program: it is to miss nothing that one saw
    test eax, eax
    js back
    jz body
    mov r14d, eax
    call fork
    test eax, eax
    js back
    jz program
    mov r13d, eax
    mov edi, [rsp + PAIR]
    call close
    mov edi, [rsp + PAIR + 4]
    call close
    mov edi, [rsp + OUTER]
    call close
    mov eax, [rsp + OUTER + 4]
    jmp serve

program:                            # becomes Python
    mov edi, [rsp + PAIR]
    call keep
    js exit
    mov r12, rax
    mov edi, [rsp + OUTER]
    call keep
    js exit
    shl r12, 16
    or r12, rax
    mov rax, [rsp + ERRORS]
    test rax, rax
    js 25f
    mov edi, 2                      # what a Python says that cannot start is not for the agent
    call keep
25: movzx eax, ax
    shl r12, 16
    or r12, rax
    mov rdi, [rbx + NULL]
    add rdi, rbx
    mov eax, OPEN
    mov esi, 2                      # O_RDWR
    syscall
    test eax, eax
    js 2f
    cmp eax, 2
    je 2f
    mov r14d, eax
    mov edi, eax
    mov esi, 2
    mov eax, DUP2
    syscall
    mov edi, r14d
    call close
2:  lea rdi, [rsp + SAID]           # three descriptors as a word: 12 letters @ to O
    mov ecx, 48
3:  sub ecx, 4
    mov rdx, r12
    shr rdx, cl
    and dl, 15
    add dl, 64
    mov [rdi], dl
    inc rdi
    test ecx, ecx
    jnz 3b
    mov byte ptr [rdi], 0
    lea rsi, [rsp + LINES]
    mov rdi, [rbx + PYTHON]
    add rdi, rbx
    mov [rsi], rdi
    xor ecx, ecx
4:  mov rax, [rbx + rcx*8 + ARGUMENTS]
    add rax, rbx
    mov [rsi + rcx*8 + 8], rax
    inc ecx
    cmp ecx, 3
    jne 4b
    lea rax, [rsp + SAID]
    mov [rsi + 32], rax
    mov qword ptr [rsi + 40], 0
    lea rdx, [rsi + 48]
    mov r8, [rbx + ENVIRONMENT]
    add r8, rbx
    xor ecx, ecx
5:  mov rax, [r8 + rcx*8]
    test rax, rax
    jz 6f
    add rax, rbx
6:  mov [rdx + rcx*8], rax
    inc ecx
    test rax, rax
    jnz 5b
    mov eax, EXECVE
    syscall
    jmp exit

body:                               # becomes the shell, as the program says
    mov eax, PRCTL
    mov edi, 1                      # PR_SET_PDEATHSIG
    mov esi, 9
    syscall
    mov eax, GETPPID
    syscall
    cmp eax, r12d
    jne exit
    mov edi, [rsp + PAIR]
    call close
    mov edi, [rsp + OUTER]
    call close
    mov edi, [rsp + OUTER + 4]
    call close
    mov eax, GETPID
    syscall
    mov [rsp + SAID], rax
    mov rax, [rsp + OLD_MASK]
    mov [rsp + SAID + 8], rax
    mov eax, [rsp + OUTER + 4]
    mov [rsp + SAID + 16], rax
    mov eax, WRITE
    mov edi, [rsp + PAIR + 4]
    lea rsi, [rsp + SAID]
    mov edx, 24
    syscall
    mov eax, [rsp + PAIR + 4]
serve:                              # both: carry out one script after the other
    mov [rsp + SOCKET], rax
next:
    # msghdr at LINES, iovec at +64, header at SAID, control at +128 (64 bytes), table at +256
    call zeros
    lea rax, [rsi + 64]
    mov [rsi + 16], rax
    mov qword ptr [rsi + 24], 1
    lea rcx, [rsi + 128]
    mov [rsi + 32], rcx
    mov qword ptr [rsi + 40], 64
    lea rcx, [rsp + SAID]
    mov [rax], rcx
    mov qword ptr [rax + 8], 24
    mov eax, RECVMSG
    mov rdi, [rsp + SOCKET]
    mov edx, 0x40000100             # MSG_CMSG_CLOEXEC | MSG_WAITALL
    syscall
    cmp rax, 24
    jne alone
    mov eax, MMAP
    xor edi, edi
    mov rsi, [rsp + SAID]
    mov edx, 3
    mov r10d, 0x22
    mov r8, -1
    xor r9d, r9d
    syscall
    cmp rax, -4096
    ja alone
    mov [rsp + MAP], rax
    mov rsi, rax
    mov rdx, [rsp + SAID]
7:  test rdx, rdx
    jz 8f
    xor eax, eax                    # READ
    mov rdi, [rsp + SOCKET]
    syscall
    test rax, rax
    jle alone
    add rsi, rax
    sub rdx, rax
    jmp 7b
8:  lea rdi, [rsp + LINES + 256]
    mov rsi, [rsp + MAP]
    mov [rdi], rsi
    lea rax, [rbp + 8]
    mov [rdi + 8], rax
    mov [rdi + 16], r15
    lea rax, [rsp + OLD_MASK]
    mov [rdi + 24], rax
    mov rax, [rsp + SOCKET]
    mov [rdi + 32], rax
    xor ecx, ecx
9:  mov eax, [rsp + rcx*4 + LINES + 144]
    mov [rdi + rcx*8 + 40], rax
    inc ecx
    cmp ecx, 12
    jne 9b
    mov r8, rsi
    mov rcx, [rsp + SAID + 8]
10: test rcx, rcx
    jz 11f
    mov eax, [rsi]
    mov edx, [rsi + 4]
    mov rdx, [rdi + rdx*8]
    add [r8 + rax], rdx
    add rsi, 8
    dec rcx
    jmp 10b
11: mov r12, rsi
12: sub qword ptr [rsp + SAID + 16], 1
    jb 14f
    mov rax, [r12]
    mov rdi, [r12 + 8]
    mov rsi, [r12 + 16]
    mov rdx, [r12 + 24]
    mov r10, [r12 + 32]
    mov r8, [r12 + 40]
    mov r9, [r12 + 48]
    syscall
    cmp rax, -4096
    jbe 13f
    test byte ptr [r12 + 56], 1     # it may fail
    jz unable
13: add r12, 64
    jmp 12b
14: mov eax, MUNMAP
    mov rdi, [rsp + MAP]
    mov rsi, [rsp + SAID]
    syscall
    mov byte ptr [rsp + LEFT], 1
    jmp next

alone:                              # the program is gone
    test r14d, r14d
    jz exit
    cmp byte ptr [rsp + LEFT], 0
    je back
15: mov eax, WAIT4                  # the shell runs: end as it ends
    mov edi, r14d
    lea rsi, [rsp + SAID]
    mov edx, 1                      # WNOHANG
    xor r10d, r10d
    syscall
    test eax, eax
    js exit
    jnz 17f
    mov eax, SIGTIMEDWAIT
    lea rdi, [rip + everything]
    xor esi, esi
    xor edx, edx
    mov r10d, 8
    syscall
    test eax, eax
    jle 15b
    cmp eax, 17                     # SIGCHLD
    je 15b
    cmp eax, 13                     # SIGPIPE: of an answer to the program
    je 15b
    mov esi, eax
    mov eax, KILL
    mov edi, r14d
    syscall
    jmp 15b
17: mov r12d, [rsp + SAID]
    mov edi, r12d
    shr edi, 8
    and edi, 255
    and r12d, 127
    jz leave
    call zeros
    mov eax, SIGACTION
    mov edi, r12d
    xor edx, edx
    mov r10d, 8
    syscall
    mov eax, GETPID
    syscall
    mov edi, eax
    mov esi, r12d
    mov eax, KILL
    syscall
    mov eax, SIGPROCMASK
    mov edi, 2
    lea rsi, [rsp + LINES]
    xor edx, edx
    mov r10d, 8
    syscall
    lea edi, [r12 + 128]
    jmp leave

unable:                             # who had to go is gone
    xor r13d, r13d
    xor r14d, r14d
back:                               # no program: undo it all
    mov edi, r14d
    call end
    mov edi, r13d
    call end
    mov eax, SIGPROCMASK
    mov edi, 2
    lea rsi, [rsp + OLD_MASK]
    xor edx, edx
    mov r10d, 8
    syscall
real:
    mov rdi, [rbx + REAL]
    add rdi, rbx
    mov rsi, [rbp + 8]              # argv[0]
    test rsi, rsi
    jz 27f
    mov rdx, [rbx + LAUNCHER]
    add rdx, rbx
26: mov al, [rsi]
    cmp al, [rdx]
    jne 27f
    inc rsi
    inc rdx
    test al, al
    jnz 26b
    mov [rbp + 8], rdi
27: lea rsi, [rbp + 8]
    cmp qword ptr [rbx + PREFIX], 0
    je 19f
    mov rax, [rbp]                  # argv: a word more than there is room for, so go down
    mov rcx, rax
    lea rax, [rax*8 + 32]
    sub rsp, rax
    and rsp, -16
    mov rsi, rsp
    mov [rsi], rdi
    mov rax, [rbx + DASH_C]
    add rax, rbx
    mov [rsi + 8], rax
    xor edx, edx
18: mov rax, [rbp + rdx*8 + 16]     # argv[1] and on, with the 0 at the end
    mov [rsi + rdx*8 + 16], rax
    inc rdx
    cmp rdx, rcx
    jb 18b
19: mov r12, rsi
    mov rdx, r15
    mov eax, EXECVE
    syscall
    xor r9d, r9d
    cmp eax, -2                     # ENOENT
    sete r9b
    add r9d, 126
    mov r14, [rbx + SIZE]           # the shell is not to be found: become a copy of it
    test r14, r14
    jz 23f
    mov rdi, [rbx + ITSELF]
    add rdi, rbx
    mov eax, OPEN
    mov esi, 0x80000                # O_CLOEXEC
    syscall
    test eax, eax
    js 23f
    mov r13d, eax
    mov ebp, 0x11                   # MFD_CLOEXEC | MFD_EXEC
20: mov rdi, [rbx + NAME]
    add rdi, rbx
    mov esi, ebp
    mov eax, MEMFD_CREATE
    syscall
    test eax, eax
    jns 21f
    cmp ebp, 1
    je 23f
    mov ebp, 1                      # an older kernel
    jmp 20b
21: mov ebp, eax
    push qword ptr [rbx + COPY]
22: mov edi, ebp
    mov esi, r13d
    mov rdx, rsp
    mov r10, r14
    mov eax, SENDFILE
    syscall
    test rax, rax
    jle 23f
    sub r14, rax
    jnz 22b
    mov edi, ebp
    push r14                        # an empty path
    mov rsi, rsp
    mov rdx, r12
    mov r10, r15
    mov r8d, 0x1000                 # AT_EMPTY_PATH
    mov eax, EXECVEAT
    syscall
23: mov edi, r9d
    jmp leave
exit:
    mov edi, 127
leave:
    mov eax, EXIT_GROUP
    syscall

pair:                               # to r10; sets the flags
    mov eax, SOCKETPAIR
    mov edi, 1                      # AF_UNIX
    mov esi, 0x80001                # SOCK_STREAM | SOCK_CLOEXEC
    xor edx, edx
    syscall
    test eax, eax
    ret

keep:                               # edi over exec, away from 0, 1 and 2; sets the flags
    mov eax, FCNTL
    xor esi, esi                    # F_DUPFD
    mov edx, 3
    syscall
    test eax, eax
    ret

close:                              # edi
    mov eax, CLOSE
    syscall
    ret

zeros:                              # 512 of them at LINES; their place in rsi
    lea rsi, [rsp + LINES + 8]
    mov rdi, rsi
    xor eax, eax
    mov ecx, 64
    cld
    rep stosq
    ret

fork:
    mov eax, CLONE
    mov edi, 17                     # SIGCHLD
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    syscall
    ret

end:                                # kill and reap edi
    test edi, edi
    jle 24f
    push rdi
    mov esi, 9
    mov eax, KILL
    syscall
    pop rdi
    xor esi, esi
    mov edx, 0x40000000             # __WALL
    xor r10d, r10d
    mov eax, WAIT4
    syscall
24: ret

.balign 8
everything: .quad -1
limits:                             # resource | least << 8
    .quad 9 | 400000000 << 8        # AS
    .quad 2 | 100000000 << 8        # DATA
    .quad 7 | 24 << 8               # NOFILE
    .quad 0 | 2 << 8                # CPU seconds
    .quad 3 | 1000000 << 8          # STACK
    .quad 255
config:
