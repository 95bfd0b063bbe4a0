#include "replicator/control/replicator.h"

#include "replicator/control/control_api.h"
#include "replicator/http/server.h"
#include "replicator/loop/tcp_address.h"
#include "replicator/loop/timer.h"
#include "replicator/peer/run_api.h"
#include "replicator/relay/relay_wire.h"
#include "replicator/relay/run_doors.h"
#include "replicator/state/state_file.h"
#include "replicator/witness/witness_calls.h"
#include "vault/base/file.h"

#include <cstdio>
#include <optional>

namespace holdfast::replicator {
namespace {

constexpr std::size_t file_threads = 3;
constexpr std::size_t call_threads = 4;
constexpr std::size_t push_threads = 2;
constexpr std::size_t file_jobs_max = 8192;  // Above what connections and strands can ask for.
constexpr std::size_t call_jobs_max = 64;
constexpr std::size_t push_jobs_max = 512;
constexpr std::uint64_t replicate_every_ms = 5 * 60 * 1000;
constexpr unsigned socket_mode = 0660;

// Beside relayed connections there are transfers, reads of a mount, and questions.
constexpr std::uint32_t partner_connections_max = run_connections_max + 64;
constexpr std::uint32_t peer_connections_max = 2048;

}  // namespace

// In the order of need: what is below uses what is above, so it goes first; the pools go before
// what their jobs hand their results to.
struct Replicator::State {
    State(OwnNode own_node, vault::Database database)
        : own(std::move(own_node)), db(std::move(database)) {}

    OwnNode own;
    vault::Database db;
    std::unique_ptr<Partners> partners;
    std::optional<Promises> promises;
    std::optional<OwnRosters> own_rosters;
    std::optional<Tenancies> tenancies;
    std::optional<PeerApi> peer_api;
    std::optional<Witness> witness;
    std::optional<WitnessCalls> witness_calls;
    std::optional<RunApi> run_api;
    std::optional<Transfers> transfers;
    std::optional<ControlApi> control_api;
    std::unique_ptr<WorkerPool> files;
    std::unique_ptr<WorkerPool> calls;
    std::unique_ptr<WorkerPool> pushes;
    std::unique_ptr<HttpClient> client;
    std::unique_ptr<TunnelDialer> dialer;
    std::unique_ptr<Relays> relays;
    std::optional<RunDoors> doors;
    std::unique_ptr<HttpServer> peer_server;
    std::unique_ptr<HttpServer> control_server;
    std::optional<Timer> timer;
    std::uint16_t port = 0;

    Result<void> open(Loop& loop, const ReplicatorSettings& settings, const Clock& clock);
    Result<void> listen(Loop& loop, const ReplicatorSettings& settings);
};

Result<void> Replicator::State::open(Loop& loop, const ReplicatorSettings& settings,
                                     const Clock& clock) {
    partners = HF_TRY(Partners::open(db));
    promises.emplace(db);
    own_rosters.emplace(db, settings.vault, settings.trust);
    HF_TRY(own_rosters->newest());  // Takes the copy; and who has none is nobody's node.
    files = HF_TRY(WorkerPool::make(loop, file_threads, file_jobs_max));
    calls = HF_TRY(WorkerPool::make(loop, call_threads, call_jobs_max));
    pushes = HF_TRY(WorkerPool::make(loop, push_threads, push_jobs_max));
    client = HF_TRY(HttpClient::make(loop, &own.tls));
    tenancies.emplace(*files, *promises, settings.tenants, own.trust, clock);
    const Core core{loop, *files, own, *own_rosters, *partners, *promises, *tenancies, clock};
    peer_api.emplace(core);
    witness.emplace(core, HF_TRY(WitnessBook::open(db)));
    witness_calls.emplace(core, *witness, *calls);
    run_api.emplace(core, *peer_api, *client, settings.run + "/agent.sock");
    transfers.emplace(core, *pushes, settings.bytes_per_second_max);
    control_api.emplace(core, *transfers, *calls, *client);
    dialer = HF_TRY(TunnelDialer::make(loop, &own.tls));
    relays = HF_TRY(Relays::make(core, *dialer, settings.state + "/relays.json"));
    doors.emplace(core, settings.run);
    return {};
}

Result<void> Replicator::State::listen(Loop& loop, const ReplicatorSettings& settings) {
    Router control;
    control_api->add_routes(control);
    add_relay_routes(control, *relays);
    witness_calls->add_routes(control);
    control_server = HF_TRY(HttpServer::make(loop, std::move(control)));
    HF_TRY(control_server->listen_unix(settings.run + "/replicator.sock", socket_mode));
    if (!settings.listen.empty()) {
        const TcpAddress at = HF_TRY(parse_tcp_address(settings.listen).within("listen"));
        Router peer;
        peer_api->add_routes(peer);
        run_api->add_routes(peer);
        doors->add_routes(peer);
        witness->add_routes(peer);
        ServerOptions options;
        options.limits.connections_per_peer_max = partner_connections_max;
        options.limits.connections_max = peer_connections_max;
        peer_server = HF_TRY(HttpServer::make(loop, std::move(peer), std::move(options)));
        port = HF_TRY(
            peer_server->listen_tcp(at.address, at.port, own.tls, ClientCertificate::Required));
    }
    timer = HF_TRY(Timer::make(loop));
    timer->every(replicate_every_ms, [this] {
        const auto started = transfers->start_all();
        if (started) return;
        std::fprintf(stderr, "holdfast-replicator: %s\n", started.error().message.c_str());
    });
    return {};
}

Replicator::Replicator(std::unique_ptr<State> state) : state_(std::move(state)) {}

Replicator::~Replicator() {
    state_->transfers->stop();
}

std::uint16_t Replicator::port() const {
    return state_->port;
}

Result<std::unique_ptr<Replicator>> Replicator::make(Loop& loop, const ReplicatorSettings& settings,
                                                     const Clock& clock) {
    for (const std::string* folder : {&settings.state, &settings.tenants, &settings.run}) {
        HF_TRY(make_folders(*folder));
    }
    OwnNode own = HF_TRY(OwnNode::open(settings));
    vault::Database db = HF_TRY(open_state(settings.state + "/replicator.db"));
    auto state = std::make_unique<State>(std::move(own), std::move(db));
    HF_TRY(state->open(loop, settings, clock));
    HF_TRY(state->listen(loop, settings));
    return std::unique_ptr<Replicator>(new Replicator(std::move(state)));
}

}  // namespace holdfast::replicator
