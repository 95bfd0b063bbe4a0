// holdfast-replicator: started by systemd or by `holdfast node run` with the node's places.
#include "replicator/control/replicator.h"
#include "replicator/loop/timer.h"

#include <sys/resource.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

namespace holdfast::replicator {
namespace {

constexpr const char* usage =
    "usage: holdfast-replicator --vault DIR --tenants DIR --state DIR --keys DIR --run DIR\n"
    "           --trust ID --name NODE [--listen ADDRESS:PORT] [--address HOST:PORT]\n"
    "           [--bytes-per-second NUMBER]\n";

Result<ReplicatorSettings> parse_arguments(int count, char** words) {
    ReplicatorSettings settings;
    std::string trust;
    std::string speed = "0";
    const std::map<std::string_view, std::string*> known{
        {"--vault", &settings.vault},     {"--tenants", &settings.tenants},
        {"--state", &settings.state},     {"--keys", &settings.keys},
        {"--run", &settings.run},         {"--trust", &trust},
        {"--name", &settings.name},       {"--listen", &settings.listen},
        {"--address", &settings.address}, {"--bytes-per-second", &speed}};
    for (int i = 1; i < count; i += 2) {
        const auto found = known.find(words[i]);
        if (found == known.end() || i + 1 >= count) {
            return Error{Errc::Invalid, std::string(words[i]) + ": not understood\n" + usage};
        }
        *found->second = words[i + 1];
    }
    for (const std::string* needed : {&settings.vault, &settings.tenants, &settings.state,
                                      &settings.keys, &settings.run, &settings.name}) {
        if (needed->empty()) return Error{Errc::Invalid, usage};
    }
    settings.trust = HF_TRY(TrustId::from_text(trust).within("--trust"));
    const char* const end = speed.data() + speed.size();
    const auto read = std::from_chars(speed.data(), end, settings.bytes_per_second_max);
    if (read.ec == std::errc() && read.ptr == end) return settings;
    return Error{Errc::Invalid, "--bytes-per-second: expected a number"};
}

/// Each relayed connection needs two of them, at both ends.
void take_all_files_allowed() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
}

Result<void> run(int count, char** words) {
    const ReplicatorSettings settings = HF_TRY(parse_arguments(count, words));
    take_all_files_allowed();
    const auto loop = HF_TRY(Loop::make());
    const auto replicator = HF_TRY(Replicator::make(*loop, settings, system_clock()));
    const auto stop = [&loop] { loop->stop(); };
    const SignalWatch on_term = HF_TRY(SignalWatch::make(*loop, SIGTERM, stop));
    const SignalWatch on_int = HF_TRY(SignalWatch::make(*loop, SIGINT, stop));
    std::fprintf(stderr, "holdfast-replicator: ready, port %u\n", replicator->port());
    loop->run();
    return {};
}

}  // namespace
}  // namespace holdfast::replicator

int main(int count, char** words) {
    const auto done = holdfast::replicator::run(count, words);
    if (done) return 0;
    std::fprintf(stderr, "holdfast-replicator: %s\n", done.error().message.c_str());
    return done.error().code == holdfast::Errc::Invalid ? 2 : 1;
}
