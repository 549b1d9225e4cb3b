#include <doctest/doctest.h>
#include <zlib.h>

#include <array>
#include <string>

#include "remote/https.h"
#include "remote/tlsrpt_day.h"
#include "remote/tlsrpt_record.h"
#include "remote/tlsrpt_report.h"
#include "remote/tlsrpt_send.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

TlsRecord success(const std::string& domain) {
  return {.domain = domain,
          .type = "sts",
          .policy = {"version: STSv1", "mode: enforce", "mx: *.mx.example", "max_age: 86400"},
          .mx = {"*.mx.example"},
          .host = "a.mx.example",
          .sending = "192.0.2.1",
          .receiving = "192.0.2.2",
          .result = "",
          .reason = ""};
}

TlsRecord failure(const std::string& domain, const std::string& result) {
  TlsRecord record = success(domain);
  record.result = result;
  record.reason = "because";
  return record;
}

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string text(1 << 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  CHECK(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
  text.resize(stream.total_out);
  ::inflateEnd(&stream);
  return text;
}

}  // namespace

TEST_CASE("a TLS record goes through a request and a line") {
  for (const TlsRecord& record : {success("example.org"), failure("example.org", "certificate-expired")}) {
    const Result<TlsRecord> from_words = parse_tls_record(tls_record_words(record));
    REQUIRE(from_words.ok());
    CHECK(*from_words == record);
    std::string line = format_tls_line(record);
    REQUIRE(line.ends_with('\n'));
    line.pop_back();
    CHECK(*parse_tls_line(line) == record);
  }
}

TEST_CASE("no record can forge another, and none is longer than a line") {
  TlsRecord record = failure("example.org", "validation-failure");
  record.reason = "a\nb\tresult=x";
  record.policy.assign(1000, std::string(200, 'x'));
  const std::string line = format_tls_line(record);
  CHECK(line.size() <= kTlsRecordLimitBytes + 1);
  CHECK(line.find('\n') == line.size() - 1);
  const Result<TlsRecord> again = parse_tls_line(std::string_view(line).substr(0, line.size() - 1));
  REQUIRE(again.ok());
  CHECK(again->reason == "a\\x0ab\\x09result=x");
}

TEST_CASE("words that are no record are refused") {
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, Words{"domain=a"}, Words{"domain=../a.b"}, Words{"domain=a.b", "type=x"},
        Words{"domain=a.b", "result=bad"}, Words{"domain=a.b", "other=1"}, Words{"domain=a.b", "reason=a\tb"},
        Words{"domain=a.b", "reason="}, Words{"domain=a.b", "reason=" + std::string(5000, 'x')},
        Words{"domain"}})
    CHECK_FALSE(parse_tls_record(words).ok());
}

TEST_CASE("an answer of MTA-STS becomes the policy of a record") {
  StsAnswer answer{.domain = "example.org", .outcome = StsAnswer::Outcome::found};
  answer.policy = {.mode = StsPolicy::Mode::testing, .mx = {"a.example"}, .id = "1", .max_age = 60};
  CHECK(tls_record_of(answer).type == "sts");
  CHECK(tls_record_of(answer).mx == answer.policy.mx);
  answer = {.domain = "example.org",
            .outcome = StsAnswer::Outcome::failed,
            .result = "sts-webpki-invalid",
            .why = "x"};
  CHECK(tls_record_of(answer).type == "sts");
  CHECK(tls_record_of(answer).result == "sts-webpki-invalid");
  answer = {.domain = "example.org"};
  CHECK(tls_record_of(answer).type == "no-policy-found");
}

TEST_CASE("a day is summed up by domain, policy and failure") {
  TlsDay day;
  for (int i = 0; i < 3; ++i) day.add(success("a.example"));
  for (int i = 0; i < 2; ++i) day.add(failure("a.example", "certificate-expired"));
  day.add(failure("a.example", "starttls-not-supported"));
  TlsRecord changed = success("a.example");
  changed.policy[1] = "mode: testing";
  day.add(changed);
  day.add(success("b.example"));
  REQUIRE(day.domains.size() == 2);
  const std::vector<TlsPolicySum>& sums = day.domains.at("a.example");
  REQUIRE(sums.size() == 2);
  CHECK(sums[0].successes == 3);
  CHECK(sums[0].failures == 3);
  REQUIRE(sums[0].details.size() == 2);
  CHECK(sums[0].details[0].count == 2);
  CHECK(sums[1].successes == 1);
}

TEST_CASE("the sums of a day are bounded, and say what they left out") {
  TlsDay day;
  for (size_t i = 0; i < kTlsPoliciesADomain + 5; ++i) {
    TlsRecord record = success("a.example");
    record.policy[1] = std::to_string(i);
    day.add(record);
  }
  CHECK(day.domains.at("a.example").size() == kTlsPoliciesADomain);
  CHECK(day.left_out == 5);
  for (size_t i = 0; i < kTlsFailuresAPolicy + 5; ++i) {
    TlsRecord record = failure("b.example", "validation-failure");
    record.receiving = std::to_string(i);
    day.add(record);
  }
  CHECK(day.domains.at("b.example")[0].details.size() == kTlsFailuresAPolicy);
  CHECK(day.domains.at("b.example")[0].failures == kTlsFailuresAPolicy + 5);
}

TEST_CASE("a day's file is read but for what is broken in it") {
  const Scratch scratch;
  REQUIRE(append_tls_record(scratch.path(), "2026-11-22", success("a.example")).ok());
  const std::string line = scratch.read("2026-11-22");
  scratch.write("2026-11-22", line + "nonsense\n" + line + line.substr(0, 20));
  const Result<TlsDay> day = read_tls_day(scratch.path("2026-11-22"));
  REQUIRE(day.ok());
  CHECK(day->domains.at("a.example")[0].successes == 2);
  CHECK(day->left_out == 1);
}

TEST_CASE("days are days") {
  CHECK(is_day("2026-02-28"));
  for (const char* bad : {"", "2026-02-30", "2026-2-03", "2026-02-28.sent", "x", "2026/02/28", "+026-02-28"})
    CHECK_FALSE(is_day(bad));
  CHECK(day_of(1792022400 + 86399) == day_of(1792022400));
  CHECK(day_begins("1970-01-02") == 86400);
  CHECK(day_of(day_begins("2026-11-22")) == "2026-11-22");
}

TEST_CASE("a report has what RFC 8460 4.4 names, packs, and is a mail") {
  TlsDay day;
  day.add(success("a.example"));
  day.add(failure("a.example", "certificate-expired"));
  const TlsReporter reporter{.organization = "mx.example.net", .contact = "tls@example.net"};
  const TlsReport report = make_tls_report(reporter, "a.example", "2026-11-22", day.domains.at("a.example"));
  CHECK(report.json["organization-name"] == "mx.example.net");
  CHECK(report.json["date-range"]["start-datetime"] == "2026-11-22T00:00:00Z");
  CHECK(report.json["date-range"]["end-datetime"] == "2026-11-22T23:59:59Z");
  CHECK(report.json["contact-info"] == "tls@example.net");
  const Json& policy = report.json["policies"][0];
  CHECK(policy["policy"]["policy-type"] == "sts");
  CHECK(policy["policy"]["policy-domain"] == "a.example");
  CHECK(policy["policy"]["mx-host"][0] == "*.mx.example");
  CHECK(policy["summary"]["total-successful-session-count"] == 1);
  CHECK(policy["summary"]["total-failure-session-count"] == 1);
  CHECK(policy["failure-details"][0]["result-type"] == "certificate-expired");
  CHECK(policy["failure-details"][0]["failed-session-count"] == 1);
  CHECK(policy["failure-details"][0]["receiving-mx-hostname"] == "a.mx.example");

  const Result<std::string> packed = gzip(report.json.dump());
  REQUIRE(packed.ok());
  CHECK(unpacked(*packed) == report.json.dump());
  const std::string mail = tls_report_mail(reporter, report, "rua@a.example", *packed, 1795305600);
  for (const char* part : {"\nTLS-Report-Domain: a.example\n", "\nTLS-Report-Submitter: mx.example.net\n",
                           "report-type=\"tlsrpt\"", "\nContent-Type: application/tlsrpt+gzip\n",
                           "mx.example.net!a.example!", "\nTLS-Required: No\n"}) {
    CAPTURE(part);
    CHECK(mail.find(part) != std::string::npos);
  }
}

TEST_CASE("reports go where the domain says, and nowhere else") {
  const auto places = [](const char* record) { return tls_report_places({record}); };
  const auto two = places("v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/x");
  REQUIRE(two.size() == 2);
  CHECK(two[0].mail_address == "a@b.example");
  CHECK(two[1].https_url == "https://c.example/x");
  CHECK(places("v=TLSRPTv1;rua=MAILTO:a%2Bx@b.example?subject=1")[0].mail_address == "a+x@b.example");
  // RFC 8460 3: blanks around "=" and ",", and more than one rua.
  CHECK(places("v=TLSRPTv1; rua = mailto:a@b.example")[0].mail_address == "a@b.example");
  CHECK(places("v=TLSRPTv1;x=rua=;rua\t=https://c.example/x , mailto:a@b.example;").size() == 2);
  CHECK(places("v=TLSRPTv1; rua=mailto:a@b.example; rua=mailto:c@d.example")[1].mail_address ==
        "c@d.example");
  CHECK(places("v=TLSRPTv1; xrua=mailto:a@b.example").empty());
  CHECK(places("v=TLSRPTv1; rua=mailto:a@b.example,mailto:b@b.example,mailto:c@b.example,mailto:d@b.example")
            .size() == kTlsReportPlaces);
  for (const char* none :
       {"v=TLSRPTv1", "v=TLSRPTv2; rua=mailto:a@b.example", "v=TLSRPTv1; rua=http://a.example/",
        "v=TLSRPTv1; rua=ftp://a.example/", "v=TLSRPTv1; rua=mailto:a",
        "v=TLSRPTv1; rua=mailto:a@b.example%0d%0ax", "v=TLSRPTv1; rua=mailto:a@b@c.example",
        "v=TLSRPTv1; rua=mailto:%3Ca@b.example", "v=TLSRPTv1; rua=https://user:pass@a.example/",
        "v=TLSRPTv1; rua=file:///etc/passwd"}) {
    CAPTURE(none);
    CHECK(places(none).empty());
  }
  CHECK(tls_report_places({"v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example"})
            .empty());
}

TEST_CASE("an https URL is one of a host") {
  const Result<HttpsUrl> url = parse_https_url("https://Host.example:8443/a?b");
  REQUIRE(url.ok());
  CHECK(url->host == "host.example");
  CHECK(url->port == 8443);
  for (const char* bad : {"", "host", "http://host/", "https://", "https://h:0/", "https://h:99999/",
                          "https://u@h/", "https://h:25/", "https://h:442/", "https://h:1023/"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_https_url(bad).ok());
  }
}
