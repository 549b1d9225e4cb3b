#include "service/check_signatures.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "lib/bind.h"
#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kDefaultDirectory = "/var/lib/clamav";
constexpr uint64_t kMaxAgeSeconds = 7ULL * 24 * 3600;
constexpr uint64_t kSecondsPerDay = 24 * 3600;
constexpr uint64_t kSecondsPerHour = 3600;
constexpr int64_t kAnswerMilliseconds = 5000;

std::string age_of(uint64_t then, uint64_t now) {
  if (then > now) return "in the future";
  const uint64_t age = now - then;
  const uint64_t days = age / kSecondsPerDay;
  const uint64_t hours = age / kSecondsPerHour;
  if (days >= 2) return std::to_string(days) + " days old";
  if (hours >= 1) return std::to_string(hours) + (hours == 1 ? " hour old" : " hours old");
  return std::to_string(age / 60) + (age / 60 == 1 ? " minute old" : " minutes old");
}

std::string when(uint64_t then, uint64_t now) {
  return rfc5322_date(then) + ", " + age_of(then, now);
}

std::string line_of(const SignatureFile& file, uint64_t now) {
  std::string line = "signatures: " + printable(file.name, 100) + ": ";
  if (!file.head) return line + "changed " + when(file.changed, now);
  line += "version " + std::to_string(file.head->version) + ", " + std::to_string(file.head->signatures) +
          " signatures, ";
  return line +
         (file.head->made > 0 ? "made " + when(file.head->made, now) : "changed " + when(file.changed, now));
}

// The resident answers scanq alone. Root asks as scanq's user, for the kernel tells the user that connects.
class AsScanq {
 public:
  AsScanq() {
    if (::geteuid() != 0) return;
    Result<Identity> user = look_up_user("posterns");
    struct stat socket {};
    const bool split =
        user && ::stat(home_path("run/scanq").c_str(), &socket) == 0 && socket.st_uid == user->uid;
    changed_ = split && ::setegid(user->gid) == 0 && ::seteuid(user->uid) == 0;
  }
  ~AsScanq() {
    if (changed_ && (::seteuid(0) < 0 || ::setegid(0) < 0)) ::_exit(111);
  }
  AsScanq(const AsScanq&) = delete;
  AsScanq& operator=(const AsScanq&) = delete;

 private:
  bool changed_ = false;
};

Result<std::string> ask_resident() {
  const AsScanq user;
  Result<Fd> socket = try_connect_service("antivirus");
  if (!socket) return socket.failure();
  if (Result<void> sent =
          send_request(socket->get(), {.arguments = {"version"}, .environment = {}, .fds = {}});
      !sent)
    return sent.failure();
  Result<Reply> reply = await_reply(socket->get(), now_milliseconds() + kAnswerMilliseconds);
  if (!reply) return reply.failure();
  if (reply->exit_code != 0) return temporary("@antivirus answers with " + std::to_string(reply->exit_code));
  return std::move(reply->output);
}

void append(SignatureReport& to, SignatureReport from) {
  to.lines.insert(to.lines.end(), from.lines.begin(), from.lines.end());
  to.problems.insert(to.problems.end(), from.problems.begin(), from.problems.end());
}

}  // namespace

SignatureReport report_files(const std::string& directory, const std::vector<SignatureFile>& files,
                             uint64_t now, uint64_t max_age_seconds) {
  SignatureReport report;
  for (const SignatureFile& file : files) {
    report.lines.push_back(line_of(file, now));
    const bool is_database = file.name.ends_with(".cvd") || file.name.ends_with(".cld");
    if (is_database && !file.head)
      report.problems.push_back(directory + "/" + printable(file.name, 100) +
                                ": has no head of a ClamAV database; remove it and run freshclam");
  }
  const SignatureFile* newest = newest_of(files);
  if (newest == nullptr) {
    report.problems.push_back(directory +
                              ": holds no signatures, so the antivirus stage defers every message; run "
                              "freshclam, or put signatures there");
    return report;
  }
  const uint64_t made = made_or_changed(*newest);
  if (max_age_seconds > 0 && now > made && now - made > max_age_seconds) {
    report.problems.push_back(directory + "/" + printable(newest->name, 100) +
                              ": the newest signatures are " + age_of(made, now) + ", more than the " +
                              std::to_string(max_age_seconds) +
                              " seconds of control/avmaxage; look whether freshclam runs");
  }
  return report;
}

SignatureReport report_resident(std::string_view answer, uint64_t now) {
  std::map<std::string, std::string, std::less<>> said;
  for (const std::string_view line : split(answer, '\n')) {
    const size_t space = line.find(' ');
    if (space != std::string_view::npos)
      said[std::string(line.substr(0, space))] = printable(line.substr(space + 1), 1024);
  }
  SignatureReport report;
  std::string text = "signatures: in use: " + (said.contains("signatures") ? said["signatures"] : "?");
  if (said.contains("version")) text += ", version " + said["version"];
  for (const char* name : {"made", "loaded"}) {
    const std::optional<uint64_t> seconds = parse_number(said[name]);
    if (seconds && *seconds > 0) text += std::string(", ") + name + " " + when(*seconds, now);
  }
  if (said.contains("directory")) text += ", from " + said["directory"];
  if (said.contains("engine")) text += ", ClamAV " + said["engine"];
  report.lines.push_back(text);
  // "ready", or what is wrong.
  if (said.contains("state") && said["state"] != "ready")
    report.problems.push_back("the running antivirus: " + said["state"]);
  return report;
}

Result<SignatureReport> check_signatures() {
  SignatureReport report;
  const uint64_t now = now_microseconds() / 1000000;
  if (Result<std::string> answer = ask_resident(); answer) {
    append(report, report_resident(*answer, now));
  } else {
    report.lines.push_back("signatures: in use: not known: " + answer.failure().text);
  }
  Result<std::string> directory = control_line_or("clamdb", kDefaultDirectory);
  if (!directory) return directory.failure();
  Result<uint64_t> age = control_number_or("avmaxage", kMaxAgeSeconds);
  if (!age) return age.failure();
  Result<std::vector<SignatureFile>> files = signature_files(*directory);
  if (!files) {
    report.problems.push_back(*directory + ": " + files.failure().text + "; make it readable for everybody");
    return report;
  }
  append(report, report_files(*directory, *files, now, *age));
  return report;
}

}  // namespace postern
