#include "replicator/http/client.h"

#include "replicator/http/easy.h"
#include "replicator/loop/timer.h"

#include <map>
#include <vector>

namespace holdfast::replicator {

namespace {

using CurlMulti = std::unique_ptr<CURLM, Closer<curl_multi_cleanup>>;

constexpr long idle_connections_max = 64;
constexpr std::size_t idle_handles_max = 16;

}  // namespace

// curl's multi interface on libuv: curl says which sockets to watch and when to be called, and we
// tell it what happened. Finished transfers are reported in a later turn of the loop (reap()), so
// that no callback comes from inside a call of ours.
class HttpClientCore {
public:
    HttpClientCore(Loop& loop, const TlsIdentity* identity, Timer timer, CurlMulti multi);
    ~HttpClientCore();

    std::uint64_t start(const HttpPeer& peer, ClientRequest request, ClientEvents events);
    void cancel(std::uint64_t id);
    void resume(std::uint64_t id);
    const std::shared_ptr<HttpClientCore*>& token() const { return alive_; }

private:
    struct Running {
        CurlEasy easy;
        std::unique_ptr<EasyTransfer> transfer;
        Callback<void(Result<HttpReply>)> done;
        std::optional<Error> stillborn;
        bool resuming = false;
    };
    struct Socket {
        HttpClientCore* core;
        curl_socket_t fd;
        UvHandle<uv_poll_t> poll;
    };

    static int watch_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
    static int set_timer(CURLM* multi, long ms, void* self);
    void watch(curl_socket_t fd, int what, Socket* known);
    void act(curl_socket_t fd, int events);
    void reap();
    void finish(std::uint64_t id, CURLcode code);
    void post(Callback<void(HttpClientCore&)> work);

    Loop* loop_;
    std::optional<TlsIdentity> identity_;
    // Shared with posted work and with Transfers, which may come too late.
    std::shared_ptr<HttpClientCore*> alive_;
    std::map<std::uint64_t, Running> running_;
    std::map<curl_socket_t, std::unique_ptr<Socket>> sockets_;
    std::vector<CurlEasy> idle_;
    std::uint64_t next_id_ = 1;
    Timer timer_;
    CurlMulti multi_;
};

HttpClientCore::HttpClientCore(Loop& loop, const TlsIdentity* identity, Timer timer,
                               CurlMulti multi)
    : loop_(&loop),
      alive_(std::make_shared<HttpClientCore*>(this)),
      timer_(std::move(timer)),
      multi_(std::move(multi)) {
    if (identity != nullptr) identity_ = identity->copy();
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &HttpClientCore::watch_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &HttpClientCore::set_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, idle_connections_max);
}

HttpClientCore::~HttpClientCore() {
    *alive_ = nullptr;
    for (auto& [id, running] : running_) {
        if (running.easy) curl_multi_remove_handle(multi_.get(), running.easy.get());
    }
    running_.clear();
    multi_.reset();
}

void HttpClientCore::post(Callback<void(HttpClientCore&)> work) {
    loop_->post([alive = alive_, work = std::move(work)] {
        if (*alive != nullptr) work(**alive);
    });
}

std::uint64_t HttpClientCore::start(const HttpPeer& peer, ClientRequest request,
                                    ClientEvents events) {
    const std::uint64_t id = next_id_++;
    Running& running = running_[id];
    running.done = std::move(events.done);
    running.transfer =
        std::make_unique<EasyTransfer>(peer, std::move(request), identity_ ? &*identity_ : nullptr);
    running.transfer->on_headers = std::move(events.headers);
    running.transfer->on_piece = std::move(events.piece);
    if (!idle_.empty()) {
        running.easy = std::move(idle_.back());
        idle_.pop_back();
    } else {
        running.easy.reset(curl_easy_init());
    }
    Result<void> ready = Error{Errc::Io, "start a libcurl transfer"};
    if (running.easy) ready = running.transfer->prepare(running.easy.get());
    if (ready) {
        curl_easy_setopt(running.easy.get(), CURLOPT_PRIVATE, reinterpret_cast<void*>(id));
        // Later, since curl takes no new transfer inside one of its callbacks.
        post([id](HttpClientCore& core) {
            const auto found = core.running_.find(id);
            if (found == core.running_.end()) return;
            curl_multi_add_handle(core.multi_.get(), found->second.easy.get());
        });
    } else {
        running.stillborn = ready.error();
        post([id](HttpClientCore& core) { core.finish(id, CURLE_FAILED_INIT); });
    }
    return id;
}

void HttpClientCore::cancel(std::uint64_t id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    // Inside one of curl's callbacks the handle cannot be removed; nothing is called any more.
    auto gone = std::make_shared<Running>(std::move(found->second));
    running_.erase(found);
    gone->done = nullptr;
    gone->transfer->cancel();
    post([gone](HttpClientCore& core) {
        if (gone->easy) curl_multi_remove_handle(core.multi_.get(), gone->easy.get());
        gone->easy.reset();
    });
}

void HttpClientCore::resume(std::uint64_t id) {
    const auto found = running_.find(id);
    if (found == running_.end() || found->second.resuming) return;
    found->second.resuming = true;
    post([id](HttpClientCore& core) {
        const auto at = core.running_.find(id);
        if (at == core.running_.end()) return;
        at->second.resuming = false;
        at->second.transfer->resume();
        core.reap();
    });
}

int HttpClientCore::watch_socket(CURL*, curl_socket_t fd, int what, void* self, void* socket) {
    static_cast<HttpClientCore*>(self)->watch(fd, what, static_cast<Socket*>(socket));
    return 0;
}

void HttpClientCore::watch(curl_socket_t fd, int what, Socket* known) {
    if (what == CURL_POLL_REMOVE) {
        sockets_.erase(fd);
        return;
    }
    if (known == nullptr) {
        auto poll = std::make_unique<uv_poll_t>();
        if (uv_poll_init(&loop_->raw(), poll.get(), fd) < 0) return;
        auto made = std::make_unique<Socket>(Socket{this, fd, UvHandle<uv_poll_t>(poll.release())});
        known = made.get();
        known->poll->data = known;
        sockets_[fd] = std::move(made);
        curl_multi_assign(multi_.get(), fd, known);
    }
    const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                       ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(known->poll.get(), events, [](uv_poll_t* handle, int status, int seen) {
        auto* const socket = static_cast<Socket*>(handle->data);
        if (socket == nullptr) return;
        const int happened = (status < 0 ? CURL_CSELECT_ERR : 0) |
                             ((seen & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                             ((seen & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
        socket->core->act(socket->fd, happened);
    });
}

int HttpClientCore::set_timer(CURLM*, long ms, void* self) {
    auto* const core = static_cast<HttpClientCore*>(self);
    if (ms < 0) {
        core->timer_.stop();
    } else {
        core->timer_.once(static_cast<std::uint64_t>(ms),
                          [core] { core->act(CURL_SOCKET_TIMEOUT, 0); });
    }
    return 0;
}

void HttpClientCore::act(curl_socket_t fd, int events) {
    const auto alive = alive_;
    int still = 0;
    curl_multi_socket_action(multi_.get(), fd, events, &still);
    if (*alive != nullptr) reap();
}

void HttpClientCore::reap() {
    const auto alive = alive_;
    int left = 0;
    while (*alive != nullptr) {
        const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left);
        if (message == nullptr) return;
        if (message->msg != CURLMSG_DONE) continue;
        void* id = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &id);
        finish(reinterpret_cast<std::uint64_t>(id), message->data.result);
    }
}

void HttpClientCore::finish(std::uint64_t id, CURLcode code) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    Running running = std::move(found->second);
    running_.erase(found);
    if (running.stillborn) {
        if (running.done) running.done(std::move(*running.stillborn));
        return;
    }
    auto result = running.transfer->result(code);
    curl_multi_remove_handle(multi_.get(), running.easy.get());
    if (idle_.size() < idle_handles_max) {
        curl_easy_reset(running.easy.get());
        idle_.push_back(std::move(running.easy));
    }
    if (running.done) running.done(std::move(result));
}

HttpClient::HttpClient(std::unique_ptr<HttpClientCore> core) : core_(std::move(core)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::make(Loop& loop, const TlsIdentity* identity) {
    HF_TRY(start_curl());
    CurlMulti multi(curl_multi_init());
    if (!multi) return Error{Errc::Io, "start libcurl"};
    auto core = std::make_unique<HttpClientCore>(loop, identity, HF_TRY(Timer::make(loop)),
                                                 std::move(multi));
    return std::unique_ptr<HttpClient>(new HttpClient(std::move(core)));
}

Transfer HttpClient::start(const HttpPeer& peer, ClientRequest request, ClientEvents events) {
    return {core_->token(), core_->start(peer, std::move(request), std::move(events))};
}

Transfer& Transfer::operator=(Transfer&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    core_ = std::move(other.core_);
    id_ = other.id_;
    return *this;
}

Transfer::~Transfer() {
    cancel();
}

void Transfer::cancel() {
    if (core() != nullptr) core()->cancel(id_);
    core_.reset();
}

void Transfer::resume() {
    if (core() != nullptr) core()->resume(id_);
}

void Transfer::detach() {
    core_.reset();
}

}  // namespace holdfast::replicator
