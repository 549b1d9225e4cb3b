// mime-pieces FILE… - what the walk over a mail finds, for tests in other languages. For each file: "F FILE",
// then for each piece "P PATH ENCODING TYPE BEGIN END CONTENT NAME,NAME…" (text in hexadecimal, "-" where
// there is none; PATH 0.1), then "R AMBIGUOUS ENCRYPTED LIMIT". With --time the pieces are only counted: "T
// MICROSECONDS PIECES BYTES FILE", the median of 5.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"
#include "scanq/antivirus_mime.h"

using namespace postern;

namespace {

std::string read_file(const char* path) {
  std::string all;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) {
    perror(path);
    exit(1);
  }
  all.resize(static_cast<size_t>(status.st_size));
  size_t done = 0;
  for (ssize_t n = 1; n > 0 && done < all.size(); done += static_cast<size_t>(std::max<ssize_t>(n, 0)))
    n = read(fd, all.data() + done, all.size() - done);
  close(fd);
  return all;
}

std::string shown(std::string_view text) {
  return text.empty() ? "-" : hexadecimal(text);
}

void print_pieces(const char* path) {
  const std::string message = read_file(path);
  printf("F %s\n", path);
  const MimeReport report = walk_pieces(message, {}, [](const MimePiece& piece) {
    std::string place;
    for (const unsigned at : piece.place.path) place += (place.empty() ? "" : ".") + std::to_string(at);
    std::string names;
    for (const std::string& name : piece.names) names += (names.empty() ? "" : ",") + shown(name);
    printf("P %s %s %s %zu %zu %s %s\n", place.empty() ? "-" : place.c_str(),
           piece.encoding.empty() ? "-" : std::string(piece.encoding).c_str(), shown(piece.type).c_str(),
           piece.place.begin, piece.place.end, shown(piece.bytes).c_str(),
           names.empty() ? "-" : names.c_str());
    return true;
  });
  printf("R %s %d %s\n", shown(report.ambiguous).c_str(), report.encrypted ? 1 : 0,
         shown(report.limit).c_str());
}

void print_time(const char* path) {
  const std::string message = read_file(path);
  size_t pieces = 0, bytes = 0;
  std::vector<uint64_t> times;
  const int rounds = message.size() < 100000 ? 1000 : 1;
  for (int i = 0; i < 5; ++i) {
    const uint64_t begin = now_microseconds();
    for (int round = 0; round < rounds; ++round) {
      pieces = bytes = 0;
      if (is_plain_message(message)) continue;
      (void)walk_pieces(message, {}, [&](const MimePiece& piece) {
        ++pieces;
        bytes += piece.bytes.size();
        return true;
      });
    }
    times.push_back(now_microseconds() - begin);
  }
  std::sort(times.begin(), times.end());
  printf("T %.1f %zu %zu %s\n", static_cast<double>(times[2]) / rounds, pieces, bytes, path);
}

}  // namespace

int main(int argc, char** argv) {
  const bool timed = argc > 1 && std::string_view(argv[1]) == "--time";
  for (int i = timed ? 2 : 1; i < argc; ++i) timed ? print_time(argv[i]) : print_pieces(argv[i]);
  return 0;
}
