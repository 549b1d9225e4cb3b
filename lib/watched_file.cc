#include "lib/watched_file.h"

#include <sys/stat.h>

#include <utility>

namespace postern {

bool WatchedFile::changed() {
  Seen now{.looked = true};
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) {
    now.exists = true;
    now.inode = status.st_ino;
    now.size = status.st_size;
    now.seconds = status.st_mtim.tv_sec;
    now.nanoseconds = status.st_mtim.tv_nsec;
  }
  return !(std::exchange(seen_, now) == now);
}

}  // namespace postern
