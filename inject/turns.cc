#include "inject/turns.h"

#include <algorithm>
#include <utility>

namespace postern::inject {

size_t Turns::waiting_of(uid_t uid) const {
  return static_cast<size_t>(
      std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.uid == uid; }));
}

size_t Turns::serving_of(uid_t uid) const {
  const auto found = serving_.find(uid);
  return found == serving_.end() ? 0 : found->second;
}

std::optional<int> Turns::arrive(int connection, uid_t uid) {
  if (waiting_of(uid) >= limits_.waiting_of_user) return connection;
  waiting_.push_back({connection, uid});
  if (waiting_.size() <= limits_.waiting) return std::nullopt;
  // The last one of the user who has most here.
  const auto most = std::max_element(
      waiting_.begin(), waiting_.end(),
      [&](const Waiting& a, const Waiting& b) { return waiting_of(a.uid) < waiting_of(b.uid); });
  const uid_t greedy = waiting_of(most->uid) > waiting_of(uid) ? most->uid : uid;
  const auto last =
      std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Waiting& w) { return w.uid == greedy; });
  return last->connection;
}

void Turns::ask(int connection) {
  for (Waiting& waiting : waiting_) {
    if (waiting.connection == connection) waiting.asked = true;
  }
}

void Turns::leave(int connection) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& w) { return w.connection == connection; });
  if (found == waiting_.end()) return;
  const uid_t uid = found->uid;
  waiting_.erase(found);
  forget_if_gone(uid);
}

void Turns::forget_if_gone(uid_t uid) {
  if (waiting_of(uid) == 0 && serving_of(uid) == 0) last_turn_.erase(uid);
}

std::optional<int> Turns::next() {
  if (all_serving_ >= limits_.serving) return std::nullopt;
  auto chosen = waiting_.end();
  std::pair<size_t, uint64_t> least;
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (!it->asked || serving_of(it->uid) >= limits_.serving_of_user) continue;
    const auto turn = last_turn_.find(it->uid);
    const std::pair<size_t, uint64_t> rank{serving_of(it->uid), turn == last_turn_.end() ? 0 : turn->second};
    if (chosen != waiting_.end() && rank >= least) continue;
    chosen = it;
    least = rank;
  }
  if (chosen == waiting_.end()) return std::nullopt;
  const Waiting taken = *chosen;
  waiting_.erase(chosen);
  ++serving_[taken.uid];
  ++all_serving_;
  last_turn_[taken.uid] = ++turns_;
  return taken.connection;
}

void Turns::done(uid_t uid) {
  const auto found = serving_.find(uid);
  if (found == serving_.end()) return;
  --all_serving_;
  if (--found->second > 0) return;
  serving_.erase(found);
  forget_if_gone(uid);
}

}  // namespace postern::inject
