// Memory that all workers of a resident share, made before they are forked, under one lock. A worker that is
// killed while it holds the lock may leave half a change: then the memory is wiped, which costs no more than
// what was remembered.
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace postern {

// `Entry` must hold as all zeroes, and be copied by its bytes.
template <typename Entry>
class SharedEntries {
 public:
  // Without memory it has no entries.
  explicit SharedEntries(size_t count) : bytes_(sizeof(Head) + count * sizeof(Entry)) {
    void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    head_ = ::new (memory) Head{};
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&head_->mutex, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
    count_ = count;
  }
  ~SharedEntries() {
    if (head_ != nullptr) ::munmap(head_, bytes_);
  }
  SharedEntries(const SharedEntries&) = delete;
  SharedEntries& operator=(const SharedEntries&) = delete;

  [[nodiscard]] size_t size() const { return count_; }

  // Nothing in `work` may wait.
  template <typename Work>
  void with(const Work& work) {
    if (head_ == nullptr) return;
    const int locked = ::pthread_mutex_lock(&head_->mutex);
    if (locked == EOWNERDEAD) {
      std::memset(static_cast<void*>(entries()), 0, count_ * sizeof(Entry));
      ::pthread_mutex_consistent(&head_->mutex);
    } else if (locked != 0) {
      return;
    }
    work(entries());
    ::pthread_mutex_unlock(&head_->mutex);
  }

 private:
  struct alignas(64) Head {
    pthread_mutex_t mutex;
  };
  static_assert(alignof(Entry) <= alignof(Head));
  Entry* entries() { return reinterpret_cast<Entry*>(reinterpret_cast<char*>(head_) + sizeof(Head)); }

  size_t bytes_;
  size_t count_ = 0;
  Head* head_ = nullptr;
};

}  // namespace postern
