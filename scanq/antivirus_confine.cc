#include "scanq/antivirus_confine.h"

#include <fcntl.h>
#include <iconv.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "lib/fd.h"
#include "lib/text.h"

// Landlock sees paths and bounds files; the filter sees numbers and bounds everything else. What is refused
// answers EPERM and the scan goes on: libclamav reports what it could not do.

namespace postern {

namespace {

constexpr uint64_t kFilesV1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // all that the first version knows
constexpr uint64_t kInScratch = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                LANDLOCK_ACCESS_FS_REMOVE_DIR;

// What libclamav, GMime, the C and C++ libraries and our own serving need. None opens a connection or starts
// a program.
constexpr std::array kAllowed = {SCMP_SYS(accept),
                                 SCMP_SYS(accept4),
                                 SCMP_SYS(access),
                                 SCMP_SYS(alarm),
                                 SCMP_SYS(brk),
                                 SCMP_SYS(chmod),
                                 SCMP_SYS(clock_gettime),
                                 SCMP_SYS(clock_nanosleep),
                                 SCMP_SYS(close),
                                 SCMP_SYS(dup),
                                 SCMP_SYS(exit),
                                 SCMP_SYS(exit_group),
                                 SCMP_SYS(faccessat),
                                 SCMP_SYS(faccessat2),
                                 SCMP_SYS(fadvise64),
                                 SCMP_SYS(fallocate),
                                 SCMP_SYS(fchmod),
                                 SCMP_SYS(fchmodat),
                                 SCMP_SYS(fstat),
                                 SCMP_SYS(fstatfs),
                                 SCMP_SYS(fsync),
                                 SCMP_SYS(ftruncate),
                                 SCMP_SYS(futex),
                                 SCMP_SYS(getdents),
                                 SCMP_SYS(getdents64),
                                 SCMP_SYS(getegid),
                                 SCMP_SYS(geteuid),
                                 SCMP_SYS(getgid),
                                 SCMP_SYS(getpid),
                                 SCMP_SYS(getppid),
                                 SCMP_SYS(getrandom),
                                 SCMP_SYS(getrusage),
                                 SCMP_SYS(getsockopt),
                                 SCMP_SYS(gettid),
                                 SCMP_SYS(gettimeofday),
                                 SCMP_SYS(getuid),
                                 SCMP_SYS(lseek),
                                 SCMP_SYS(lstat),
                                 SCMP_SYS(madvise),
                                 SCMP_SYS(membarrier),
                                 SCMP_SYS(memfd_create),
                                 SCMP_SYS(mkdir),
                                 SCMP_SYS(mkdirat),
                                 SCMP_SYS(mmap),
                                 SCMP_SYS(mprotect),
                                 SCMP_SYS(mremap),
                                 SCMP_SYS(munmap),
                                 SCMP_SYS(nanosleep),
                                 SCMP_SYS(newfstatat),
                                 SCMP_SYS(open),
                                 SCMP_SYS(openat),
                                 SCMP_SYS(poll),
                                 SCMP_SYS(ppoll),
                                 SCMP_SYS(pread64),
                                 SCMP_SYS(pwrite64),
                                 SCMP_SYS(read),
                                 SCMP_SYS(readlink),
                                 SCMP_SYS(readlinkat),
                                 SCMP_SYS(readv),
                                 SCMP_SYS(recvfrom),
                                 SCMP_SYS(recvmsg),
                                 SCMP_SYS(restart_syscall),
                                 SCMP_SYS(rmdir),
                                 SCMP_SYS(rseq),
                                 SCMP_SYS(rt_sigaction),
                                 SCMP_SYS(rt_sigprocmask),
                                 SCMP_SYS(rt_sigreturn),
                                 SCMP_SYS(sched_getaffinity),
                                 SCMP_SYS(sched_yield),
                                 SCMP_SYS(sendfile),
                                 SCMP_SYS(sendmsg),
                                 SCMP_SYS(sendto),
                                 SCMP_SYS(set_robust_list),
                                 SCMP_SYS(shutdown),
                                 SCMP_SYS(sigaltstack),
                                 SCMP_SYS(stat),
                                 SCMP_SYS(statx),
                                 SCMP_SYS(sysinfo),
                                 SCMP_SYS(time),
                                 SCMP_SYS(umask),
                                 SCMP_SYS(uname),
                                 SCMP_SYS(unlink),
                                 SCMP_SYS(unlinkat),
                                 SCMP_SYS(write),
                                 SCMP_SYS(writev)};

// What descriptors themselves need. Not F_SETOWN and F_SETSIG, by which the kernel sends any signal to any
// process of the same user, nor leases and notices, which end in signals too.
constexpr std::array kFcntl = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};
constexpr scmp_datum_t kInt = 0xffffffff;  // the kernel takes no more of a command

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

Result<void> allow_below(int ruleset, const std::string& path, uint64_t access) {
  const Fd directory{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return os_failure("open " + path, errno);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = directory.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) < 0)
    return os_failure("make a rule for " + path, errno);
  return {};
}

Result<Confined> confine_files(const std::string& scratch) {
  // Later versions add kinds of access (truncating, ioctl) that the filter or the scratch rule has no need
  // of.
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kFilesV1;
  const Fd ruleset{static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0U))};
  if (!ruleset) {
    if (errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
      return os_failure("bound the files that a scan may open", errno);
    return Confined{.files_open = os_failure("Landlock", errno).text};
  }
  if (Result<void> added = allow_below(ruleset.get(), scratch, kInScratch); !added) return added.failure();
  // So that it can remove its scratch directory itself at the end.
  if (Result<void> added = allow_below(ruleset.get(), directory_of(scratch), LANDLOCK_ACCESS_FS_REMOVE_DIR);
      !added) {
    return added.failure();
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) < 0)
    return os_failure("bound the files that a scan may open", errno);
  return Confined{};
}

scmp_arg_cmp argument_is(unsigned which, scmp_datum_t value) {
  return {which, SCMP_CMP_EQ, value, 0};
}

// libseccomp answers with -errno.
Result<void> confine_calls(int waker) {
  const std::unique_ptr<void, Release> filter{seccomp_init(SCMP_ACT_ERRNO(EPERM))};
  if (!filter) return temporary("make a filter of system calls: no memory");
  int failed = 0;
  const auto allow = [&](int call, unsigned count, scmp_arg_cmp first, scmp_arg_cmp second) {
    const std::array arguments = {first, second};
    const int added = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, count, arguments.data());
    if (added < 0) failed = added;
  };
  for (const int call : kAllowed) allow(call, 0, {}, {});
  for (const int command : kFcntl)
    allow(SCMP_SYS(fcntl), 1, {1, SCMP_CMP_MASKED_EQ, kInt, static_cast<scmp_datum_t>(command)}, {});
  allow(SCMP_SYS(fcntl), 2, {1, SCMP_CMP_MASKED_EQ, kInt, F_SETFL}, {2, SCMP_CMP_MASKED_EQ, O_ASYNC, 0});
  const auto own = static_cast<scmp_datum_t>(::getpid());
  allow(SCMP_SYS(tgkill), 1, argument_is(0, own), {});
  // Threads of our own, for decoders that want some; clone3 hides its flags from a filter, and the C library
  // then takes clone.
  allow(SCMP_SYS(clone), 1, {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}, {});
  if (const int added =
          seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, nullptr);
      added < 0) {
    failed = added;
  }
  if (waker > 0) {
    allow(SCMP_SYS(kill), 2, argument_is(0, static_cast<scmp_datum_t>(waker)), argument_is(1, SIGALRM));
  }
  if (failed == 0) failed = seccomp_load(filter.get());
  if (failed < 0) return os_failure("load a filter of system calls", -failed);
  return {};
}

}  // namespace

Result<Confined> confine(const std::string& scratch, int waker) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return os_failure("give up new privileges", errno);
  Result<Confined> files = confine_files(scratch);
  if (!files) return files;
  if (Result<void> calls = confine_calls(waker); !calls) return calls.failure();
  return files;
}

void prepare_character_sets() {
  static constexpr std::array kSets = {
      "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-5",   "ISO-8859-7",   "ISO-8859-9",   "ISO-8859-15",
      "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255",
      "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "KOI8-R",       "KOI8-U",       "GB2312",
      "GBK",          "GB18030",      "BIG5",         "SHIFT_JIS",    "EUC-JP",       "ISO-2022-JP",
      "EUC-KR",       "ISO-2022-KR",  "UTF-7",        "UTF-16",       "UTF-16LE",     "UTF-16BE",
      "UTF-32",       "US-ASCII",     "IBM437",       "IBM850",       "MACINTOSH",    "TIS-620"};
  // Never closed: the C library keeps a table while somebody uses it.
  for (const char* set : kSets) (void)::iconv_open("UTF-8", set);
}

}  // namespace postern
