/* Shifts the wall clock and the time since boot of one process, by what a shared file says.
 *
 * LD_PRELOAD=clock.so DRILL_CLOCK=FILE PROGRAM...
 *
 * FILE holds two 64-bit numbers, the nanoseconds to add to CLOCK_REALTIME and to CLOCK_BOOTTIME;
 * it is mapped, so that a step shows at the next call. CLOCK_MONOTONIC is left alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift_ns;

__attribute__((constructor)) static void map_shift(void)
{
    const char *file = getenv("DRILL_CLOCK");
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        shift_ns = mapped;
    if (fd >= 0)
        close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    int64_t shift = 0;
    if (!failed && shift_ns) {
        if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
            shift = shift_ns[0];
        else if (clock == CLOCK_BOOTTIME)
            shift = shift_ns[1];
    }
    if (shift) {
        int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + shift;
        now->tv_sec = ns / 1000000000;
        now->tv_nsec = ns % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;
    int failed = clock_gettime(CLOCK_REALTIME, &precise);
    (void)zone;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
