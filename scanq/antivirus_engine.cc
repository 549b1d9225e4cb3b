#include "scanq/antivirus_engine.h"

#include <clamav.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "scanq/antivirus_scratch.h"

namespace postern {

namespace {

// The EICAR file in two halves, so that no scanner finds it in this source or in the program.
constexpr std::string_view kEicarHead = "X5O!P%@AP[4\\PZX54(P^)7CC)7}";
constexpr std::string_view kEicarTail = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
constexpr std::string_view kEicarName = "Eicar-Test-Signature";
constexpr std::string_view kUnofficial = ".UNOFFICIAL";  // libclamav's suffix for what is not from its makers
constexpr std::string_view kIgnoredRemedy =
    "look for an .ign or .ign2 file beside the signatures that names it";

constexpr uint64_t kBlockBytes = kLeastFileBytes;  // by which it writes what it unpacks

std::string eicar() {
  return std::string(kEicarHead).append(kEicarTail);
}

// What libclamav complained of last: its return codes alone do not name the file or the line.
std::string& last_complaint() {
  static std::string text;
  return text;
}
void note_complaint(cl_msg severity, const char*, const char* message, void*) {
  if (severity >= CL_MSG_WARN) last_complaint() = printable(trim(message), 300);
}

std::string explain(cl_error_t code) {
  std::string text = cl_strerror(code);
  if (!last_complaint().empty()) text.append(" (").append(last_complaint()).append(")");
  return text;
}

Result<void> start_libclamav() {
  static bool started = false;
  if (started) return {};
  cl_set_clcb_msg(note_complaint);
  if (const cl_error_t code = cl_init(CL_INIT_DEFAULT); code != CL_SUCCESS) {
    return temporary("libclamav does not start: " + explain(code));
  }
  started = true;
  return {};
}

std::string with_remedy(std::string why, const EngineSettings& settings) {
  return std::move(why) + "; put signatures into " + settings.directory +
         " (freshclam does), or name another directory in " + home_path("control/clamdb");
}

Result<void> set_number(cl_engine* engine, cl_engine_field field, uint64_t value) {
  const cl_error_t code = cl_engine_set_num(engine, field, static_cast<long long>(value));
  if (code != CL_SUCCESS) return temporary("set a limit of the engine: " + explain(code));
  return {};
}

// What one scan showed of the files in it.
struct Watch {
  uint64_t cut_bytes;     // a file in another that has so many may have been cut at avmaxfilesize
  uint64_t all_bytes;     // that it may look at, the file itself among them
  uint64_t seen = 0;      // of these
  uint64_t unpacked = 0;  // of these, without the file itself
  ScanResult unreadable{};
};

// libclamav cuts the members of some archives (zip, cab) at a limit, between two of its blocks, and says
// nothing. So what is as large as something cut may be something cut.
bool may_be_cut(const Watch& watch, size_t size, uint32_t level) {
  return (level > 0 && size >= watch.cut_bytes) || watch.seen >= watch.all_bytes;
}

// Called for each file that libclamav looks at in one scan, before it does: formats that it does not know
// look to it like any other data.
cl_error_t note_file(int, const char* type, const char**, size_t, const char*, size_t size,
                     const char* buffer, uint32_t level, uint32_t, void* context) {
  if (context == nullptr) return CL_CLEAN;
  Watch& watch = *static_cast<Watch*>(context);
  ScanResult& unreadable = watch.unreadable;
  watch.seen += size;
  if (level > 0) watch.unpacked += size;
  if (may_be_cut(watch, size, level))
    unreadable =
        worse(unreadable, {AntivirusKind::limit,
                           "over a limit of the engine (avmaxfilesize or avmaxscansize, of a file in it)"});
  const std::string_view name = type != nullptr && std::string_view(type).starts_with("CL_TYPE_RAR") ? "RAR"
                                : buffer != nullptr ? unreadable_format({buffer, size})
                                                    : std::string_view();
  if (!name.empty()) unreadable = worse(unreadable, {AntivirusKind::unscannable, std::string(name)});
  return CL_CLEAN;
}

ScanResult judge(cl_error_t code, const char* name) {
  switch (code) {
    case CL_SUCCESS:
      return {};
    case CL_VIRUS:
      break;
    case CL_EMAXREC:
    case CL_EMAXSIZE:
    case CL_EMAXFILES:
    case CL_ETIMEOUT:
      return {AntivirusKind::limit, "over a limit of the engine: " + explain(code)};
    case CL_EUNPACK:
    case CL_EFORMAT:
    case CL_EPARSE:
      return {AntivirusKind::unscannable, explain(code)};
    default:
      return {AntivirusKind::error, explain(code)};
  }
  // What is too large as a whole is answered so, without a name.
  if (name == nullptr) return {AntivirusKind::limit, "over a limit of the engine (avmaxfilesize)"};
  std::string_view virus = name;
  if (virus.starts_with(kEicarName) && virus.substr(kEicarName.size()) == kUnofficial) virus = kEicarName;
  ScanResult result = judge_name(virus);
  if (result.kind == AntivirusKind::limit) result.what = "over a limit of the engine (" + result.what + ")";
  return result;
}

ScanResult spent(std::string_view limit) {
  return {AntivirusKind::limit,
          "over a limit of the engine (" + std::string(limit) + ", of the message as a whole)", true};
}

struct CloseMap {
  void operator()(cl_fmap_t* map) const { cl_fmap_close(map); }
};

}  // namespace

void Engine::Free::operator()(cl_engine* engine) const {
  cl_engine_free(engine);
}

Result<Engine> Engine::load(const EngineSettings& settings) {
  if (Result<void> started = start_libclamav(); !started) return started.failure();
  last_complaint().clear();
  Result<Scratch> scratch = Scratch::make();
  if (!scratch) return scratch.failure();
  Engine fresh;
  fresh.engine_.reset(cl_engine_new());
  if (!fresh.engine_) return temporary("libclamav has no memory for an engine");
  cl_engine* engine = fresh.engine_.get();
  fresh.use_scratch(scratch->path());
  if (Result<void> set = fresh.set_limits(settings); !set) return set.failure();
  const cl_error_t loaded = cl_load(settings.directory.c_str(), engine, &fresh.signatures_, CL_DB_STDOPT);
  if (loaded != CL_SUCCESS) return temporary(with_remedy(explain(loaded), settings));
  if (fresh.signatures_ == 0) return temporary(with_remedy("there is not one in it", settings));
  if (fresh.signatures_ < settings.min_signatures) {
    return temporary(with_remedy("it holds " + std::to_string(fresh.signatures_) + ", less than the " +
                                     std::to_string(settings.min_signatures) + " of control/avminsignatures",
                                 settings));
  }
  if (Result<void> added = fresh.add_eicar(scratch->path()); !added) return added.failure();
  if (const cl_error_t compiled = cl_engine_compile(engine); compiled != CL_SUCCESS) {
    return temporary(with_remedy("compile: " + explain(compiled), settings));
  }
  if (Result<void> tested = fresh.test_itself(); !tested) return tested.failure();
  return fresh;
}

Result<void> Engine::set_limits(const EngineSettings& settings) {
  heuristics_ = settings.heuristics;
  max_file_bytes_ = settings.max_file_bytes;
  max_scan_bytes_ = settings.max_scan_bytes;
  max_seconds_ = settings.max_seconds;
  cl_engine_set_clcb_file_inspection(engine_.get(), note_file);
  for (const auto& [field, value] :
       {std::pair{CL_ENGINE_MAX_SCANSIZE, settings.max_scan_bytes},
        std::pair{CL_ENGINE_MAX_FILESIZE, settings.max_file_bytes},
        std::pair{CL_ENGINE_MAX_RECURSION, settings.max_recursion},
        std::pair{CL_ENGINE_MAX_FILES, settings.max_files},
        std::pair{CL_ENGINE_MAX_SCANTIME, settings.max_seconds * 1000},
        // What is over these is left out without a word, so they must not be the lower ones.
        std::pair{CL_ENGINE_MAX_EMBEDDEDPE, settings.max_file_bytes},
        std::pair{CL_ENGINE_MAX_HTMLNORMALIZE, settings.max_file_bytes},
        std::pair{CL_ENGINE_MAX_HTMLNOTAGS, settings.max_file_bytes},
        std::pair{CL_ENGINE_MAX_SCRIPTNORMALIZE, settings.max_file_bytes},
        std::pair{CL_ENGINE_MAX_ZIPTYPERCG, settings.max_file_bytes},
        // It knows files by their MD5: whoever has a clean file with the MD5 of an infected one would get
        // the latter through.
        std::pair{CL_ENGINE_DISABLE_CACHE, uint64_t{1}}}) {
    if (Result<void> set = set_number(engine_.get(), field, value); !set) return set.failure();
  }
  return {};
}

// libclamav takes signatures from named files only.
Result<void> Engine::add_eicar(const std::string& scratch) {
  const std::string path = scratch + "/postern.ndb";
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) return os_failure("create " + path, errno);
  const std::string line = std::string(kEicarName) + ":0:0:" + hexadecimal(eicar()) + "\n";
  if (Result<void> wrote = write_all(file.get(), line, "write " + path); !wrote) return wrote;
  unsigned ours = 0;
  const cl_error_t loaded = cl_load(path.c_str(), engine_.get(), &ours, CL_DB_STDOPT);
  if (loaded != CL_SUCCESS) return temporary("add the EICAR signature: " + explain(loaded));
  if (ours != 1) return temporary("add the EICAR signature: it was left out; " + std::string(kIgnoredRemedy));
  return {};
}

Result<void> Engine::test_itself() const {
  ScanBudget whole = budget();
  const ScanResult result = scan(eicar(), MailParser::on, whole);
  if (result.kind == AntivirusKind::infected) return {};
  return temporary("the engine does not find the EICAR test file in its self-test" +
                   (result.what.empty() ? std::string() : ": " + result.what) + "; " +
                   std::string(kIgnoredRemedy));
}

void Engine::use_scratch(const std::string& directory) {
  cl_engine_set_str(engine_.get(), CL_ENGINE_TMPDIR, directory.c_str());
}

ScanBudget Engine::budget() const {
  return {.bytes = max_scan_bytes_,
          .deadline_milliseconds = now_milliseconds() + static_cast<int64_t>(max_seconds_) * 1000};
}

// Of what it reports without a virus it gives one name only. So where that is one that the operator may let
// pass, it is asked again without it: an encrypted file must not hide that another one was over a limit.
ScanResult Engine::scan(std::string_view bytes, MailParser parser, ScanBudget& left) const {
  static constexpr unsigned kAlways =
      CL_SCAN_HEURISTIC_EXCEEDS_MAX | CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE | CL_SCAN_HEURISTIC_ENCRYPTED_DOC;
  const ScanResult result = scan_for(bytes, kAlways | heuristics_, parser, left);
  if (result.kind != AntivirusKind::encrypted && result.kind != AntivirusKind::unscannable) return result;
  return worse(result, scan_for(bytes, CL_SCAN_HEURISTIC_EXCEEDS_MAX, parser, left));
}

// The engine takes its limits when a scan begins; each gets what the ones before it left. 0 would be none.
ScanResult Engine::scan_for(std::string_view bytes, unsigned heuristics, MailParser parser,
                            ScanBudget& left) const {
  if (bytes.empty()) return {};
  const int64_t milliseconds = left.deadline_milliseconds - now_milliseconds();
  if (milliseconds <= 0) return spent("avmaxscantime");
  if (left.bytes == 0) return spent("avmaxscansize");
  Watch watch{.cut_bytes = max_file_bytes_ / kBlockBytes * kBlockBytes,
              .all_bytes = left.bytes + bytes.size()};
  for (const auto& [field, value] :
       {std::pair{CL_ENGINE_MAX_SCANSIZE, watch.all_bytes},
        std::pair{CL_ENGINE_MAX_SCANTIME, static_cast<uint64_t>(milliseconds)}}) {
    if (Result<void> set = set_number(engine_.get(), field, value); !set)
      return {AntivirusKind::error, set.failure().text};
  }
  const std::unique_ptr<cl_fmap_t, CloseMap> map{cl_fmap_open_memory(bytes.data(), bytes.size())};
  if (!map) return {AntivirusKind::error, "no memory to look at " + std::to_string(bytes.size()) + " bytes"};
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = parser == MailParser::on ? ~0U : ~0U & ~unsigned{CL_SCAN_PARSE_MAIL};
  options.heuristic = heuristics;
  const char* name = nullptr;
  unsigned long scanned = 0;
  last_complaint().clear();
  const cl_error_t code =
      cl_scanmap_callback(map.get(), nullptr, &name, &scanned, engine_.get(), &options, &watch);
  left.bytes -= std::min(left.bytes, watch.unpacked);
  return worse(judge(code, name), watch.unreadable);
}

uint64_t Engine::database_version() const {
  int error = 0;
  const long long version = cl_engine_get_num(engine_.get(), CL_ENGINE_DB_VERSION, &error);
  return version < 0 ? 0 : static_cast<uint64_t>(version);
}

std::string Engine::library_version() {
  return cl_retver();
}

}  // namespace postern
