"""The machine code of the shifted clock: what stands in for the C library's and the kernel's own.

Each line is an instruction, as bytes and as an assembler would print it; a name with a colon is
where a function begins. Behind the code are four numbers of eight bytes, see `SLOTS`. In words:
`clock_gettime`, `gettimeofday` and `time` make the system call and add what the clock is ahead to
the seconds; `sem_timedwait` takes it off the deadline and calls `sem_clockwait`; the family of
`stat` makes the system call and adds it to each of the three times that lies between the start of
the tests and now. Registers are used as the calling conventions of Linux allow.
"""

from typing import Dict, Tuple

SLOTS = ("ahead", "since", "sem_clockwait", "errno_location")
"""Seconds that the clock is ahead; the Unix time of the start; addresses of two C functions."""

X86_64 = """
clock_gettime:
  b8e4000000       mov $0xe4,%eax
  0f05             syscall
  85c0             test %eax,%eax
  7513             jne clock_gettime + 0x1e
  85ff             test %edi,%edi
  7405             je clock_gettime + 0x14
  83ff05           cmp $0x5,%edi
  750a             jne clock_gettime + 0x1e
  488b0d1d010000   mov ahead(%rip),%rcx
  48010e           add %rcx,(%rsi)
  c3               ret
gettimeofday:
  b860000000       mov $0x60,%eax
  0f05             syscall
  85c0             test %eax,%eax
  75f4             jne clock_gettime + 0x1e
  4885ff           test %rdi,%rdi
  74ef             je clock_gettime + 0x1e
  488b0d02010000   mov ahead(%rip),%rcx
  48010f           add %rcx,(%rdi)
  c3               ret
time:
  b8c9000000       mov $0xc9,%eax
  0f05             syscall
  480305f0000000   add ahead(%rip),%rax
  4885ff           test %rdi,%rdi
  74d1             je clock_gettime + 0x1e
  488907           mov %rax,(%rdi)
  c3               ret
sem_timedwait:
  4883ec18         sub $0x18,%rsp
  488b06           mov (%rsi),%rax
  482b05d9000000   sub ahead(%rip),%rax
  48890424         mov %rax,(%rsp)
  488b4608         mov 0x8(%rsi),%rax
  4889442408       mov %rax,0x8(%rsp)
  4889e2           mov %rsp,%rdx
  31f6             xor %esi,%esi
  ff15d1000000     call *sem_clockwait(%rip)
  4883c418         add $0x18,%rsp
  c3               ret
lstat:
  41ba00010000     mov $0x100,%r10d
  eb03             jmp stat + 0x3
stat:
  4531d2           xor %r10d,%r10d
  4889f2           mov %rsi,%rdx
  4889fe           mov %rdi,%rsi
  bf9cffffff       mov $0xffffff9c,%edi
  eb20             jmp fstatat + 0x3
__xstat:
  4531d2           xor %r10d,%r10d
  eb06             jmp __lxstat + 0x6
__lxstat:
  41ba00010000     mov $0x100,%r10d
  bf9cffffff       mov $0xffffff9c,%edi
  eb0e             jmp fstatat + 0x3
__fxstatat:
  89f7             mov %esi,%edi
  4889d6           mov %rdx,%rsi
  4889ca           mov %rcx,%rdx
  4489c1           mov %r8d,%ecx
fstatat:
  4189ca           mov %ecx,%r10d
  b806010000       mov $0x106,%eax
  0f05             syscall
  eb0f             jmp fstat + 0xa
__fxstat:
  89f7             mov %esi,%edi
  4889d6           mov %rdx,%rsi
fstat:
  4889f2           mov %rsi,%rdx
  b805000000       mov $0x5,%eax
  0f05             syscall
  85c0             test %eax,%eax
  7853             js fstat + 0x61
  4883ec18         sub $0x18,%rsp
  4989d0           mov %rdx,%r8
  31ff             xor %edi,%edi
  4889e6           mov %rsp,%rsi
  b8e4000000       mov $0xe4,%eax
  0f05             syscall
  4c8b0c24         mov (%rsp),%r9
  4883c418         add $0x18,%rsp
  49ffc1           inc %r9
  4c8b154b000000   mov since(%rip),%r10
  4c8b1d3c000000   mov ahead(%rip),%r11
  498d4848         lea 0x48(%r8),%rcx
  ba03000000       mov $0x3,%edx
  488b01           mov (%rcx),%rax
  4c39d0           cmp %r10,%rax
  7c0b             jl fstat + 0x56
  4c39c8           cmp %r9,%rax
  7f06             jg fstat + 0x56
  4c01d8           add %r11,%rax
  488901           mov %rax,(%rcx)
  4883c110         add $0x10,%rcx
  ffca             dec %edx
  75e5             jne fstat + 0x43
  31c0             xor %eax,%eax
  c3               ret
  f7d8             neg %eax
  50               push %rax
  ff1524000000     call *errno_location(%rip)
  59               pop %rcx
  8908             mov %ecx,(%rax)
  b8ffffffff       mov $0xffffffff,%eax
  c3               ret
  0f1f00           nopl (%rax)
"""

AARCH64 = """
clock_gettime:
  e903002a         mov w9, w0
  280e80d2         mov x8, #0x71
  010000d4         svc #0x0
  00010035         cbnz w0, clock_gettime + 0x2c
  69000034         cbz w9, clock_gettime + 0x1c
  3f150071         cmp w9, #0x5
  a1000054         b.ne clock_gettime + 0x2c
  ea0a0058         ldr x10, ahead
  2b0040f9         ldr x11, [x1]
  6b010a8b         add x11, x11, x10
  2b0000f9         str x11, [x1]
  c0035fd6         ret
gettimeofday:
  e90300aa         mov x9, x0
  281580d2         mov x8, #0xa9
  010000d4         svc #0x0
  80ffff35         cbnz w0, clock_gettime + 0x2c
  69ffffb4         cbz x9, clock_gettime + 0x2c
  aa090058         ldr x10, ahead
  2b0140f9         ldr x11, [x9]
  6b010a8b         add x11, x11, x10
  2b0100f9         str x11, [x9]
  c0035fd6         ret
sem_timedwait:
  fd7bbea9         stp x29, x30, [sp, #-32]!
  290040f9         ldr x9, [x1]
  ca080058         ldr x10, ahead
  29010acb         sub x9, x9, x10
  2b0440f9         ldr x11, [x1, #8]
  e92f01a9         stp x9, x11, [sp, #16]
  e2430091         add x2, sp, #0x10
  01008052         mov w1, #0x0
  89080058         ldr x9, sem_clockwait
  20013fd6         blr x9
  fd7bc2a8         ldp x29, x30, [sp], #32
  c0035fd6         ret
lstat:
  03208052         mov w3, #0x100
  02000014         b stat + 0x4
stat:
  03008052         mov w3, #0x0
  e20301aa         mov x2, x1
  e10300aa         mov x1, x0
  600c8012         mov w0, #0xffffff9c
  0a000014         b fstatat
__xstat:
  03008052         mov w3, #0x0
  02000014         b __lxstat + 0x4
__lxstat:
  03208052         mov w3, #0x100
  600c8012         mov w0, #0xffffff9c
  05000014         b fstatat
__fxstatat:
  e003012a         mov w0, w1
  e10302aa         mov x1, x2
  e20303aa         mov x2, x3
  e303042a         mov w3, w4
fstatat:
  e80980d2         mov x8, #0x4f
  010000d4         svc #0x0
  06000014         b fstat + 0xc
__fxstat:
  e003012a         mov w0, w1
  e10302aa         mov x1, x2
fstat:
  e20301aa         mov x2, x1
  080a80d2         mov x8, #0x50
  010000d4         svc #0x0
  2003f837         tbnz w0, #31, fstat + 0x70
  ff4300d1         sub sp, sp, #0x10
  00008052         mov w0, #0x0
  e1030091         mov x1, sp
  280e80d2         mov x8, #0x71
  010000d4         svc #0x0
  e90340f9         ldr x9, [sp]
  ff430091         add sp, sp, #0x10
  29050091         add x9, x9, #0x1
  aa030058         ldr x10, since
  4b030058         ldr x11, ahead
  44200191         add x4, x2, #0x48
  65008052         mov w5, #0x3
  860040f9         ldr x6, [x4]
  df000aeb         cmp x6, x10
  ab000054         b.lt fstat + 0x5c
  df0009eb         cmp x6, x9
  6c000054         b.gt fstat + 0x5c
  c6000b8b         add x6, x6, x11
  860000f9         str x6, [x4]
  84400091         add x4, x4, #0x10
  a5040071         subs w5, w5, #0x1
  e1feff54         b.ne fstat + 0x40
  00008052         mov w0, #0x0
  c0035fd6         ret
  e903004b         neg w9, w0
  fd7bbea9         stp x29, x30, [sp, #-32]!
  e91300b9         str w9, [sp, #16]
  ca010058         ldr x10, errno_location
  40013fd6         blr x10
  e91340b9         ldr w9, [sp, #16]
  090000b9         str w9, [x0]
  00008012         mov w0, #0xffffffff
  fd7bc2a8         ldp x29, x30, [sp], #32
  c0035fd6         ret
  1f2003d5         nop
"""


def assembled(listing: str) -> Tuple[bytes, Dict[str, int]]:
    """Return the code of a listing, up to where the slots begin, and where each function begins."""
    code = b""
    places: Dict[str, int] = {}
    for line in listing.split("\n"):
        if line.endswith(":"):
            places[line[:-1]] = len(code)
        elif line:
            code += bytes.fromhex(line.split()[0])
    return code + bytes(-len(code) % 8), places
