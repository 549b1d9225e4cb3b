#include "queue/due_messages.h"

namespace postern {

void DueMessages::push(Due due) {
  const auto [found, added] = when_.try_emplace(due.mid, due.when);
  if (!added) {
    order_.erase({found->second, due.mid});
    found->second = due.when;
  }
  order_.emplace(due.when, due.mid);
}

void DueMessages::pop() {
  when_.erase(order_.begin()->second);
  order_.erase(order_.begin());
}

}  // namespace postern
