/* flags_signal.c - flags and constants of signals, clocks and timers.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag cld_code[] = {
    {0x01, "CLD_EXITED"},  {0x02, "CLD_KILLED"},  {0x03, "CLD_DUMPED"},
    {0x04, "CLD_TRAPPED"}, {0x05, "CLD_STOPPED"}, {0x06, "CLD_CONTINUED"},
};

static const struct lt_flag clock[] = {
    {0x00, "CLOCK_REALTIME"},           {0x01, "CLOCK_MONOTONIC"},
    {0x02, "CLOCK_PROCESS_CPUTIME_ID"}, {0x03, "CLOCK_THREAD_CPUTIME_ID"},
    {0x04, "CLOCK_MONOTONIC_RAW"},      {0x05, "CLOCK_REALTIME_COARSE"},
    {0x06, "CLOCK_MONOTONIC_COARSE"},   {0x07, "CLOCK_BOOTTIME"},
    {0x08, "CLOCK_REALTIME_ALARM"},     {0x09, "CLOCK_BOOTTIME_ALARM"},
    {0x0a, "CLOCK_SGI_CYCLE"},          {0x0b, "CLOCK_TAI"},
};

static const struct lt_flag eventfd[] = {
    {0x00000001, "EFD_SEMAPHORE"},
    {0x00080000, "EFD_CLOEXEC"},
    {0x00000800, "EFD_NONBLOCK"},
};

static const struct lt_flag itimer[] = {
    {0x00, "ITIMER_REAL"},
    {0x01, "ITIMER_VIRTUAL"},
    {0x02, "ITIMER_PROF"},
};

static const struct lt_flag sa_flags[] = {
    {0x04000000, "SA_RESTORER"},    {0x08000000, "SA_ONSTACK"},        {0x10000000, "SA_RESTART"},
    {0x20000000, "SA_INTERRUPT"},   {0x40000000, "SA_NODEFER"},        {0x80000000, "SA_RESETHAND"},
    {0x00000001, "SA_NOCLDSTOP"},   {0x00000002, "SA_NOCLDWAIT"},      {0x00000004, "SA_SIGINFO"},
    {0x00000400, "SA_UNSUPPORTED"}, {0x00000800, "SA_EXPOSE_TAGBITS"},
};

static const struct lt_flag si_code[] = {
    {0x00000000, "SI_USER"},  {0x00000080, "SI_KERNEL"}, {0xffffffc4, "SI_ASYNCNL"},
    {0xfffffffa, "SI_TKILL"}, {0xfffffffb, "SI_SIGIO"},  {0xfffffffc, "SI_ASYNCIO"},
    {0xfffffffd, "SI_MESGQ"}, {0xfffffffe, "SI_TIMER"},  {0xffffffff, "SI_QUEUE"},
};

static const struct lt_flag sig_how[] = {
    {0x00, "SIG_BLOCK"},
    {0x01, "SIG_UNBLOCK"},
    {0x02, "SIG_SETMASK"},
};

static const struct lt_flag signalfd[] = {
    {0x00080000, "SFD_CLOEXEC"},
    {0x00000800, "SFD_NONBLOCK"},
};

static const struct lt_flag ss_flags[] = {
    {0x00000001, "SS_ONSTACK"},
    {0x00000002, "SS_DISABLE"},
    {0x80000000, "SS_AUTODISARM"},
};

static const struct lt_flag timer_abs[] = {
    {0x01, "TIMER_ABSTIME"},
};

static const struct lt_flag timerfd[] = {
    {0x00000001, "TFD_TIMER_ABSTIME"},
    {0x00000002, "TFD_TIMER_CANCEL_ON_SET"},
    {0x00080000, "TFD_CLOEXEC"},
    {0x00000800, "TFD_NONBLOCK"},
};

const struct lt_flags lt_flags_signal[] = {
    {"cld_code", LT_ONE, NULL, LT_ROWS(cld_code)},
    {"clock", LT_ONE, "CLOCK_???", LT_ROWS(clock)},
    {"eventfd", LT_BITS, "EFD_???", LT_ROWS(eventfd)},
    {"itimer", LT_ONE, "ITIMER_???", LT_ROWS(itimer)},
    {"sa_flags", LT_BITS, "SA_???", LT_ROWS(sa_flags)},
    {"si_code", LT_ONE, NULL, LT_ROWS(si_code)},
    {"sig_how", LT_ONE, "SIG_???", LT_ROWS(sig_how)},
    {"signalfd", LT_BITS, "SFD_???", LT_ROWS(signalfd)},
    {"ss_flags", LT_BITS, "SS_???", LT_ROWS(ss_flags)},
    {"timer_abs", LT_BITS, "TIMER_???", LT_ROWS(timer_abs)},
    {"timerfd", LT_BITS, "TFD_???", LT_ROWS(timerfd)},
};
const size_t lt_flags_signal_count = sizeof(lt_flags_signal) / sizeof(lt_flags_signal[0]);
