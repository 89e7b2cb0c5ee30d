/* Asks a function before each call that touches a folder or a file below it: it may let the call pass, fail it, or end the
 * process. For LD_PRELOAD on Linux, because DuckDB, Arrow and FAISS reach the disk past Python. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, CREATE, READ, WRITE, SYNC, RENAME, UNLINK, MKDIR, STAT, MMAP, LOCK }; /* as Kind in interposer.py */
typedef int (*hook_t)(int kind, const char *path); /* 0, or the errno with which the call fails */

static char root[PATH_MAX];
static hook_t hook;
static __thread int inside; /* the hook may touch files too */

void interposer_watch(const char *folder, hook_t function) {
    hook = NULL;
    snprintf(root, sizeof root, "%s", folder);
    hook = function;
}

static int fails(enum kind kind, const char *path) {
    size_t length = strlen(root);
    if (!hook || inside || strncmp(path, root, length) != 0 || (path[length] && path[length] != '/')) return 0;
    int before = errno, number;
    inside = 1;
    number = hook(kind, path);
    inside = 0;
    errno = number ? number : before;
    return number;
}

/* The path of an open file, or of `path` seen from an open folder. */
static const char *of(int descriptor) {
    static __thread char path[PATH_MAX];
    char link[64];
    if (!hook || inside) return "";
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    errno = before;
    return path;
}

static const char *at(int folder, const char *path) {
    static __thread char joined[PATH_MAX];
    if (folder == AT_FDCWD || path[0] == '/') return path;
    snprintf(joined, sizeof joined, "%s%s%s", of(folder), *path ? "/" : "", path);
    return joined;
}

#define REAL(name)                                \
    static __typeof__(name) *real;                \
    if (!real) real = dlsym(RTLD_NEXT, #name);

#define INTERPOSE(kind, result, name, parameters, arguments, path) \
    result name parameters {                                       \
        REAL(name)                                                 \
        return fails(kind, path) ? (result)-1 : real arguments;    \
    }

static enum kind opening(int flags) { return flags & (O_CREAT | O_TRUNC) ? CREATE : OPEN; }

#define INTERPOSE_OPEN(name, parameters, arguments, path)                \
    int name parameters {                                                \
        REAL(name)                                                       \
        va_list rest;                                                    \
        va_start(rest, flags);                                           \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                    \
        return fails(opening(flags), path) ? -1 : real arguments;        \
    }
INTERPOSE_OPEN(open, (const char *name, int flags, ...), (name, flags, mode), name)
INTERPOSE_OPEN(open64, (const char *name, int flags, ...), (name, flags, mode), name)
INTERPOSE_OPEN(openat, (int folder, const char *name, int flags, ...), (folder, name, flags, mode), at(folder, name))
INTERPOSE_OPEN(openat64, (int folder, const char *name, int flags, ...), (folder, name, flags, mode), at(folder, name))

#define INTERPOSE_FOLDER(name, parameter, argument, path)            \
    DIR *name(parameter) {                                           \
        REAL(name)                                                   \
        return fails(OPEN, path) ? NULL : real(argument);            \
    }
INTERPOSE_FOLDER(opendir, const char *name, name, name)
INTERPOSE_FOLDER(fdopendir, int file, file, of(file))

INTERPOSE(READ, ssize_t, read, (int file, void *to, size_t count), (file, to, count), of(file))
INTERPOSE(READ, ssize_t, pread, (int file, void *to, size_t count, off_t from), (file, to, count, from), of(file))
INTERPOSE(READ, ssize_t, pread64, (int file, void *to, size_t count, off64_t from), (file, to, count, from), of(file))

INTERPOSE(WRITE, ssize_t, write, (int file, const void *from, size_t count), (file, from, count), of(file))
INTERPOSE(WRITE, ssize_t, pwrite, (int file, const void *from, size_t count, off_t to), (file, from, count, to), of(file))
INTERPOSE(WRITE, ssize_t, pwrite64, (int file, const void *from, size_t count, off64_t to), (file, from, count, to), of(file))
INTERPOSE(WRITE, ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count), of(file))
INTERPOSE(WRITE, ssize_t, sendfile, (int to, int from, off_t *at, size_t count), (to, from, at, count), of(to))
INTERPOSE(WRITE, ssize_t, sendfile64, (int to, int from, off64_t *at, size_t count), (to, from, at, count), of(to))
INTERPOSE(WRITE, int, ftruncate, (int file, off_t length), (file, length), of(file))
INTERPOSE(WRITE, int, ftruncate64, (int file, off64_t length), (file, length), of(file))
INTERPOSE(WRITE, int, fallocate, (int file, int mode, off_t from, off_t length), (file, mode, from, length), of(file))
INTERPOSE(WRITE, int, fallocate64, (int file, int mode, off64_t from, off64_t length), (file, mode, from, length), of(file))

INTERPOSE(SYNC, int, fsync, (int file), (file), of(file))
INTERPOSE(SYNC, int, fdatasync, (int file), (file), of(file))

INTERPOSE(RENAME, int, rename, (const char *from, const char *to), (from, to), to)
INTERPOSE(RENAME, int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), at(b, to))

INTERPOSE(UNLINK, int, unlink, (const char *path), (path), path)
INTERPOSE(UNLINK, int, remove, (const char *path), (path), path)
INTERPOSE(UNLINK, int, rmdir, (const char *path), (path), path)
INTERPOSE(UNLINK, int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), at(folder, path))

INTERPOSE(MKDIR, int, mkdir, (const char *path, mode_t mode), (path, mode), path)
INTERPOSE(MKDIR, int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), at(folder, path))

INTERPOSE(STAT, int, stat, (const char *path, struct stat *to), (path, to), path)
INTERPOSE(STAT, int, stat64, (const char *path, struct stat64 *to), (path, to), path)
INTERPOSE(STAT, int, lstat, (const char *path, struct stat *to), (path, to), path)
INTERPOSE(STAT, int, lstat64, (const char *path, struct stat64 *to), (path, to), path)
INTERPOSE(STAT, int, fstat, (int file, struct stat *to), (file, to), of(file))
INTERPOSE(STAT, int, fstat64, (int file, struct stat64 *to), (file, to), of(file))
INTERPOSE(STAT, int, fstatat, (int folder, const char *path, struct stat *to, int flags), (folder, path, to, flags), at(folder, path))
INTERPOSE(STAT, int, fstatat64, (int folder, const char *path, struct stat64 *to, int flags), (folder, path, to, flags), at(folder, path))
INTERPOSE(STAT, int, access, (const char *path, int mode), (path, mode), path)
/* What programs built with glibc before 2.33 call for stat. */
int __xstat(int version, const char *path, struct stat *to) { (void)version; return stat(path, to); }
int __xstat64(int version, const char *path, struct stat64 *to) { (void)version; return stat64(path, to); }
int __lxstat(int version, const char *path, struct stat *to) { (void)version; return lstat(path, to); }
int __lxstat64(int version, const char *path, struct stat64 *to) { (void)version; return lstat64(path, to); }
int __fxstat(int version, int file, struct stat *to) { (void)version; return fstat(file, to); }
int __fxstat64(int version, int file, struct stat64 *to) { (void)version; return fstat64(file, to); }

INTERPOSE(MMAP, void *, mmap, (void *to, size_t length, int access, int flags, int file, off_t from),
          (to, length, access, flags, file, from), file < 0 ? "" : of(file))
INTERPOSE(MMAP, void *, mmap64, (void *to, size_t length, int access, int flags, int file, off64_t from),
          (to, length, access, flags, file, from), file < 0 ? "" : of(file))

INTERPOSE(LOCK, int, flock, (int file, int operation), (file, operation), of(file))

#define INTERPOSE_FCNTL(name)                                                                                  \
    int name(int file, int command, ...) {                                                                     \
        REAL(name)                                                                                             \
        va_list rest;                                                                                          \
        va_start(rest, command);                                                                               \
        void *argument = va_arg(rest, void *);                                                                 \
        va_end(rest);                                                                                          \
        int is_lock = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW; \
        return is_lock && fails(LOCK, of(file)) ? -1 : real(file, command, argument);                          \
    }
INTERPOSE_FCNTL(fcntl)
INTERPOSE_FCNTL(fcntl64)
