// The Host Access Tables of an instance: control/hat for all listeners, control/hat.LISTENER for one of its
// own; each with its compiled form beside it, NAME.bin.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/hat_compile.h"
#include "receipt/hat_table.h"

namespace postern {

struct OpenedHat {
  HatTable table;
  std::string file;  // "control/hat": the text that it was made of
};
// The listener's own table, else that for all; nothing: there is none of either. A failure is temporary: also
// where there is text that nobody has compiled, for whoever wrote a table wants it to hold.
Result<std::optional<OpenedHat>> open_hat(std::string_view listener);

// Whose tables there are as text, sorted; "" is that for all.
Result<std::vector<std::string>> hat_listeners();

// Whose tables there are compiled and no longer as text, sorted: they count until they are removed.
Result<std::vector<std::string>> hats_without_text();

// Reads control/policies and the table, and makes its bytes. Failures as compile_hat's.
Result<std::string> make_hat(const std::string& listener, const CountryNetworks& countries,
                             std::vector<std::string>& warnings);

// The compiled table is older than the text or than control/policies.
bool is_stale(std::string_view listener);

}  // namespace postern
