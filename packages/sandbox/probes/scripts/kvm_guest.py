"""Boots the smallest guest: one page, real mode, `mov al, 42; hlt`. Prints "booted" when the guest really computed 42.

/dev/kvm may exist and answer every ioctl and still never run a guest, so the caller kills this after a time-out.
https://docs.kernel.org/virt/kvm/api.html
"""

import fcntl
import mmap
import os
import struct

CREATE_VM, GET_VCPU_MMAP_SIZE, CREATE_VCPU, RUN = 0xAE01, 0xAE04, 0xAE41, 0xAE80
SET_USER_MEMORY_REGION = 0x4020AE46
GET_REGS, SET_REGS, GET_SREGS, SET_SREGS = 0x8090AE81, 0x4090AE82, 0x8138AE83, 0x4138AE84
EXIT_HLT = 5
PAGE = 4096


def address_of(mapping):
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))


def main():
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    vm = fcntl.ioctl(kvm, CREATE_VM, 0)
    memory = mmap.mmap(-1, PAGE)
    memory[:3] = b"\xb0\x2a\xf4"
    fcntl.ioctl(vm, SET_USER_MEMORY_REGION, struct.pack("<IIQQQ", 0, 0, 0, PAGE, address_of(memory)))
    vcpu = fcntl.ioctl(vm, CREATE_VCPU, 0)
    run = mmap.mmap(vcpu, fcntl.ioctl(kvm, GET_VCPU_MMAP_SIZE, 0))
    special = bytearray(312)
    fcntl.ioctl(vcpu, GET_SREGS, special)
    struct.pack_into("<Q", special, 0, 0)  # cs.base
    struct.pack_into("<H", special, 12, 0)  # cs.selector
    fcntl.ioctl(vcpu, SET_SREGS, special)
    registers = struct.pack("<18Q", *([0] * 16), 0, 2)  # rip 0, rflags with its one reserved bit
    fcntl.ioctl(vcpu, SET_REGS, registers)
    fcntl.ioctl(vcpu, RUN, 0)
    reason = struct.unpack_from("<I", run, 8)[0]
    result = bytearray(144)
    fcntl.ioctl(vcpu, GET_REGS, result)
    rax = struct.unpack_from("<Q", result, 0)[0]
    print("booted" if (reason, rax) == (EXIT_HLT, 42) else f"exit reason {reason}, rax {rax}")


main()
