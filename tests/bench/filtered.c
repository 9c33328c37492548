/* filtered.c - run a program under a bare seccomp filter and no tracer: the kernel's own price.
 *
 *   filtered NUMBER [VALUE] PROGRAM...   the call NUMBER, with VALUE as its first argument, fails
 *
 * The filter tests the ABI and one number, as any filter must; nothing else is in it. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define FAIL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define EQUALS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

static int install(unsigned number, long value)
{
  struct sock_filter any[] = {
      LOAD(arch), EQUALS(AUDIT_ARCH_X86_64, 0, 2), LOAD(nr), EQUALS(number, 1, 0), ALLOW, FAIL};
  struct sock_filter one[] = {
      LOAD(arch),    EQUALS(AUDIT_ARCH_X86_64, 0, 4), LOAD(nr), EQUALS(number, 0, 2),
      LOAD(args[0]), EQUALS((unsigned)value, 1, 0),   ALLOW,    FAIL};
  struct sock_fprog program = {sizeof any / sizeof *any, any};
  if (value >= 0)
    program = (struct sock_fprog){sizeof one / sizeof *one, one};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
  if (argc < 3) {
    fprintf(stderr, "usage: filtered number [value] program [args]\n");
    return 125;
  }
  char *end;
  long value = strtol(argv[2], &end, 10);
  int first = *end ? 2 : 3;
  if (install((unsigned)strtoul(argv[1], NULL, 10), first == 3 ? value : -1) != 0) {
    perror("filtered");
    return 125;
  }
  execvp(argv[first], argv + first);
  perror(argv[first]);
  return 127;
}
