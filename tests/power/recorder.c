/* Records what a program does to its files, for tests of power cuts. Loaded by LD_PRELOAD.
 *
 * RECORDER_TRACE names the file to append to, RECORDER_UNDER the folder whose files are
 * recorded. A write is recorded before it is done and a sync after it, so that at each point
 * of the trace nothing counts as synced that was not. The shared memory of SQLite is left out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <limits.h>

struct head {
    int64_t at_ns;
    int64_t number; /* offset of a write, size of a truncation */
    uint32_t path_bytes;
    uint32_t data_bytes;
    char kind[8];
};

static int trace = -1;
static char under[PATH_MAX];
static size_t under_bytes;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("RECORDER_TRACE"), *folder = getenv("RECORDER_UNDER");
    if (!file || !folder)
        return;
    strncpy(under, folder, sizeof under - 1);
    under_bytes = strlen(under);
    trace = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_recorded(const char *path)
{
    size_t bytes = strlen(path);
    return trace >= 0 && !strncmp(path, under, under_bytes) &&
           !(bytes > 4 && !strcmp(path + bytes - 4, "-shm"));
}

static int path_of(int fd, char *path)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = trace < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
    if (bytes < 0)
        return 0;
    path[bytes] = 0;
    return is_recorded(path);
}

static void record(char kind, const char *path, int64_t number, const void *data, size_t bytes)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct head head = {now.tv_sec * 1000000000LL + now.tv_nsec, number,
                        (uint32_t)strlen(path), (uint32_t)bytes, {kind}};
    struct iovec parts[] = {
        {&head, sizeof head}, {(void *)path, head.path_bytes}, {(void *)data, bytes}};
    if (writev(trace, parts, 3) != (ssize_t)(sizeof head + head.path_bytes + bytes))
        abort();
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t bytes)
{
    REAL(write);
    char path[PATH_MAX];
    if (path_of(fd, path))
        record('W', path, lseek(fd, 0, SEEK_CUR), data, bytes);
    return real(fd, data, bytes);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    REAL(pwrite);
    char path[PATH_MAX];
    if (path_of(fd, path))
        record('W', path, offset, data, bytes);
    return real(fd, data, bytes, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset)
{
    REAL(pwrite64);
    char path[PATH_MAX];
    if (path_of(fd, path))
        record('W', path, offset, data, bytes);
    return real(fd, data, bytes, offset);
}

static void record_size(int fd, int64_t size)
{
    char path[PATH_MAX];
    if (path_of(fd, path))
        record('T', path, size, "", 0);
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    record_size(fd, size);
    return real(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64);
    record_size(fd, size);
    return real(fd, size);
}

static int record_sync(int fd, int failed)
{
    char path[PATH_MAX];
    if (!failed && path_of(fd, path))
        record('S', path, 0, "", 0);
    return failed;
}

int fsync(int fd)
{
    REAL(fsync);
    return record_sync(fd, real(fd));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return record_sync(fd, real(fd));
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    int failed = real(from, to);
    if (!failed && is_recorded(to))
        record('R', from, 0, to, strlen(to));
    return failed;
}

int unlink(const char *path)
{
    REAL(unlink);
    int failed = real(path);
    if (!failed && is_recorded(path))
        record('U', path, 0, "", 0);
    return failed;
}
