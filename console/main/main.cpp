// holdfast-console: started by systemd or by `holdfast node run` with the node's places.
#include "console/web/console.h"
#include "replicator/loop/timer.h"

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

namespace holdfast::console {
namespace {

constexpr const char* usage =
    "usage: holdfast-console --run DIR --state DIR --listen ADDRESS:PORT\n";

Result<ConsoleSettings> parse_arguments(int count, char** words) {
    ConsoleSettings settings;
    const std::map<std::string_view, std::string*> known{
        {"--run", &settings.run}, {"--state", &settings.state}, {"--listen", &settings.listen}};
    for (int i = 1; i < count; i += 2) {
        const auto found = known.find(words[i]);
        if (found == known.end() || i + 1 >= count) {
            return Error{Errc::Invalid, std::string(words[i]) + ": not understood\n" + usage};
        }
        *found->second = words[i + 1];
    }
    for (const auto& [name, value] : known) {
        if (value->empty()) return Error{Errc::Invalid, usage};
    }
    return settings;
}

Result<void> run(int count, char** words) {
    const ConsoleSettings settings = HF_TRY(parse_arguments(count, words));
    const auto loop = HF_TRY(replicator::Loop::make());
    const auto console = HF_TRY(Console::make(*loop, settings, system_clock()));
    const auto stop = [&loop] { loop->stop(); };
    const auto on_term = HF_TRY(replicator::SignalWatch::make(*loop, SIGTERM, stop));
    const auto on_int = HF_TRY(replicator::SignalWatch::make(*loop, SIGINT, stop));
    std::fprintf(stderr, "holdfast-console: ready, port %u, certificate SHA-256 %s\n",
                 console->port(), console->fingerprint().c_str());
    loop->run();
    return {};
}

}  // namespace
}  // namespace holdfast::console

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_IGN);
    (void)::prctl(PR_SET_DUMPABLE, 0);  // Passphrases pass through here.
    const auto done = holdfast::console::run(count, words);
    if (done) return 0;
    std::fprintf(stderr, "holdfast-console: %s\n", done.error().message.c_str());
    return done.error().code == holdfast::Errc::Invalid ? 2 : 1;
}
