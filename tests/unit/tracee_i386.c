/* tracee_i386.c - an i386 program in memory, so that tests need no 32-bit compiler.
 *
 * It stops at an int3, stores its registers at TRACEE_I386_DATA, stops at a second one, and waits
 * in pause(2); then it exits with ebx as its code. Behind the pause, at a label of its own, is a
 * place that ends with exit code 33 when entered exactly there. */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tracee.h"

#define LOAD_AT 0x08048000u

/* Offsets from TRACEE_I386_DATA: 8 words of general registers, then flags, xmm, st0, and the
 * address of the landing place. */
__asm__(".pushsection .rodata\n"
        ".code32\n"
        "tracee_i386_code:\n"
        "  int3\n"
        "  movl %eax, 0x08050000\n"
        "  movl %ebx, 0x08050004\n"
        "  movl %ecx, 0x08050008\n"
        "  movl %edx, 0x0805000c\n"
        "  movl %esi, 0x08050010\n"
        "  movl %edi, 0x08050014\n"
        "  movl %ebp, 0x08050018\n"
        "  movl %esp, 0x0805001c\n"
        "  pushfl\n"
        "  popl 0x08050020\n"
        "  movups %xmm0, 0x08050030\n"
        "  movups %xmm7, 0x08050040\n"
        "  fstpt 0x08050050\n"
        "  movl $0x08048100 + tracee_i386_landing - tracee_i386_code, 0x08050060\n"
        "  int3\n"
        "  movl $29, %eax\n" /* pause */
        "  int $0x80\n"
        "  movl $1, %eax\n" /* exit */
        "  int $0x80\n"
        "  ud2\n"
        "tracee_i386_landing:\n"
        "  movl $1, %eax\n"
        "  movl $33, %ebx\n"
        "  int $0x80\n"
        "tracee_i386_end:\n"
        ".code64\n"
        ".popsection\n");

extern const char tracee_i386_code[], tracee_i386_end[];

#define CODE_AT 0x100

static Elf32_Phdr load(uint32_t at, uint32_t size, uint32_t in_file, uint32_t flags)
{
  return (Elf32_Phdr){.p_type = PT_LOAD,
                      .p_vaddr = at,
                      .p_paddr = at,
                      .p_filesz = in_file,
                      .p_memsz = size,
                      .p_flags = flags,
                      .p_align = 4096};
}

int tracee_i386_image(void)
{
  size_t size = (size_t)(tracee_i386_end - tracee_i386_code);
  Elf32_Ehdr header = {
      .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
      .e_type = ET_EXEC,
      .e_machine = EM_386,
      .e_version = EV_CURRENT,
      .e_entry = LOAD_AT + CODE_AT,
      .e_phoff = sizeof header,
      .e_ehsize = sizeof header,
      .e_phentsize = sizeof(Elf32_Phdr),
      .e_phnum = 2,
  };
  Elf32_Phdr parts[2] = {
      load(LOAD_AT, CODE_AT + size, CODE_AT + size, PF_R | PF_X),
      load(TRACEE_I386_DATA, 4096, 0, PF_R | PF_W),
  };
  int fd = memfd_create("tracee-i386", MFD_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
  assert_int_equal(pwrite(fd, parts, sizeof parts, sizeof header), sizeof parts);
  assert_int_equal(pwrite(fd, tracee_i386_code, size, CODE_AT), size);
  return fd;
}
