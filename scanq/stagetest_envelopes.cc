// Envelopes of odd form, and half ones. A stage that does not use the envelope answers all of them alike.
#include "lib/envelope.h"
#include "scanq/stagetest_case.h"

namespace postern::stagetest {

namespace {

using namespace std::string_literals;

constexpr int kTemporary = 111;

Case envelope_case(std::string_view name, std::string_view demand, std::string (*make)()) {
  return {name, demand, [make](Examination& examination) {
            const std::string message = ordinary_mail();
            const std::string envelope = make();
            StageRequest request = examination.request(message);
            request.envelope = envelope;
            return examination.try_out(request);
          }};
}

// 111, or what it answers where there is no envelope at all: then it does not use it. Anything else is made
// of half an envelope.
Outcome refuse_envelope(Examination& examination, const std::string& envelope, Given as) {
  const std::string message = ordinary_mail();
  StageRequest request = examination.request(message);
  request.envelope = envelope;
  request.envelope_as = as;
  const Seen seen = examination.ask(request);
  Outcome outcome = examination.judge(seen, request);
  if (outcome.kind != Outcome::passed || seen.exit_code == kTemporary) return outcome;
  if (!examination.answers_repeat()) return {Outcome::not_judged, std::string(kAnswersDiffer)};
  request.absent = {3};
  const Seen without = examination.ask(request);
  if (comparable(without) == comparable(seen))
    return {Outcome::passed, outcome.seen + "; it uses no envelope"};
  return {
      Outcome::failed,
      outcome.seen + ", but without descriptor 3: " + summary_of(without) + "; so it believed what it read",
      "read the envelope to its end, check its form, and exit 111 when anything is wrong"};
}

Case broken_case(std::string_view name, std::string_view demand, std::string (*make)(),
                 Given as = Given::sealed) {
  return {name, demand,
          [make, as](Examination& examination) { return refuse_envelope(examination, make(), as); }};
}

std::string to(const std::string& recipient) {
  return envelope_of("sender@elsewhere.example", {recipient});
}

std::string ten_thousand() {
  std::vector<std::string> recipients;
  for (int i = 0; i < 10000; ++i) recipients.push_back("recipient" + std::to_string(i) + "@here.example");
  return envelope_of("sender@elsewhere.example", recipients);
}

std::string ordinary() {
  return to("recipient@here.example");
}

}  // namespace

std::vector<Case> envelope_cases() {
  return {
      envelope_case("null-sender", "a null reverse-path is answered",
                    [] { return envelope_of("", {"recipient@here.example"}); }),
      envelope_case("double-bounce-sender", "the sender #@[] of a bounce's bounce is answered",
                    [] { return envelope_of(kDoubleBounceSender, {"postmaster@here.example"}); }),
      envelope_case("ten-thousand-recipients",
                    "10,000 recipients are answered, and the verdict stays bounded", ten_thousand),
      envelope_case("no-recipients", "an envelope without recipients is answered",
                    [] { return envelope_of("sender@elsewhere.example", {}); }),
      envelope_case("recipient-twice", "a recipient that stands twice is answered",
                    [] {
                      return envelope_of("a@elsewhere.example", {"b@here.example", "b@here.example"});
                    }),
      envelope_case("quoted-local-part", "a quoted local part with blanks and commas is answered",
                    [] { return to("\"one two, three\"@here.example"); }),
      envelope_case("quotes-in-local-part", "a local part with quotes, backslashes and an @ is answered",
                    [] { return to("\"a\\\\b\\\"c@d\"@here.example"); }),
      envelope_case("shell-in-local-part", "a local part that means something to a shell is answered",
                    [] { return to("\"$(id)`id`;|&*'<>\"@here.example"); }),
      envelope_case("tab-in-local-part", "a TAB in an address is answered, and escaped where quoted",
                    [] { return to("\"one\ttwo\"@here.example"); }),
      envelope_case("option-like-address", "an address that looks like an option is answered",
                    [] { return to("--help@here.example"); }),
      envelope_case("utf8-addresses", "addresses in UTF-8 (RFC 6531) are answered",
                    [] {
                      return envelope_of(
                          "j\xc3\xb6rg@elsewhere.example",
                          {"\xe7\x94\xb2@here.example", "\"\xe2\x82\xac \xe2\x82\xac\"@here.example"});
                    }),
      envelope_case("eight-bit-address", "an address in bytes that are no UTF-8 is answered",
                    [] { return to("\xff\xfe@here.example"); }),
      envelope_case("address-literals", "domains that are address literals are answered",
                    [] { return envelope_of("a@[192.0.2.1]", {"b@[IPv6:2001:db8::1]"}); }),
      envelope_case("no-domain", "addresses without a domain are answered",
                    [] {
                      return envelope_of("root", {"postmaster", "@here.example", "a@"});
                    }),
      envelope_case("routes-in-address", "percent hacks, bang paths and plus signs are answered",
                    [] { return to("a%b!c+d=e@here.example"); }),
      envelope_case("upper-case", "upper case in addresses is answered",
                    [] { return envelope_of("Sender@ELSEWHERE.example", {"ReCipient@HERE.Example"}); }),
      envelope_case("longest-address", "an address of 1003 bytes is answered",
                    [] { return to(std::string(kAddressLimitBytes - 13, 'a') + "@here.example"); }),
      {"cut-envelope", "an envelope that was cut short, within a recipient or behind one, gets 111",
       [](Examination& examination) {
         Outcome outcome = refuse_envelope(
             examination, "Fsender@elsewhere.example\0Tone@here.example\0Ttwo@he"s, Given::sealed);
         if (outcome.kind != Outcome::passed) return outcome;
         return refuse_envelope(examination, "Fsender@elsewhere.example\0Tone@here.example\0"s,
                                Given::sealed);
       }},
      broken_case("empty-envelope", "an envelope of no bytes gets 111", [] { return ""s; }),
      broken_case("envelope-without-sender", "an envelope that begins with a recipient gets 111",
                  [] { return "Tone@here.example\0\0"s; }),
      broken_case("envelope-with-a-tail", "an envelope with bytes behind its end gets 111",
                  [] { return ordinary() + "Ttwo@here.example\0"s; }),
      broken_case("unreadable-envelope", "an envelope that cannot be read gets 111", ordinary,
                  Given::unreadable),
  };
}

}  // namespace postern::stagetest
