// The standard headers that most files include, parsed once for all of them: a third of the time to compile.
// The Makefile puts it before every file; each still includes what it uses, and compiles without it (PCH=no).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
