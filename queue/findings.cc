#include "queue/findings.h"

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

void Findings::add(std::string_view path, std::string_view what, std::string_view remedy,
                   const std::function<Result<void>()>& mend) {
  ++found_;
  const std::string begin = printable(path, 4096) + ": " + std::string(what) + "; ";
  const Result<void> mended = repair_ ? mend() : Result<void>();
  if (!repair_ || !mended) ++left_;
  const std::string end = !repair_ ? "would " + std::string(remedy)
                          : mended ? "done: " + std::string(remedy)
                                   : "unable to " + std::string(remedy) + ": " + mended.failure().text;
  if (Result<void> wrote = write_all(1, begin + end + "\n", "write"); !wrote) unknown(wrote.failure());
}

void Findings::remark(std::string_view path, std::string_view what) {
  const std::string line = printable(path, 4096) + ": " + std::string(what) + "; it is left alone\n";
  if (Result<void> wrote = write_all(1, line, "write"); !wrote) unknown(wrote.failure());
}

void Findings::unknown(const Failure& failure) {
  ++unknown_;
  log_warning("check", failure);
}

}  // namespace postern
