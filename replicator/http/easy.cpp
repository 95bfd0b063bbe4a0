#include "replicator/http/easy.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace holdfast::replicator {

namespace {

constexpr long buffer_bytes = 256 * 1024;
constexpr std::size_t header_count_max = 200;
constexpr long keepalive_s = 30;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
        text.remove_suffix(1);
    }
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
        text.remove_prefix(1);
    }
    return text;
}

Errc errc_of(CURLcode code, std::string_view why) {
    // In TLS 1.3 a server judges our certificate after curl has called the handshake done.
    if (why.find("alert") != std::string_view::npos) return Errc::Denied;
    switch (code) {
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CONNECT_ERROR:
            return Errc::Denied;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return Errc::Invalid;
        case CURLE_ABORTED_BY_CALLBACK:
            return Errc::Interrupted;
        case CURLE_OUT_OF_MEMORY:
            return Errc::Io;
        default:
            return Errc::Unreachable;
    }
}

}  // namespace

Result<void> start_curl() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) return Error{Errc::Io, "start libcurl"};
    return {};
}

EasyTransfer::EasyTransfer(const HttpPeer& peer, ClientRequest request, const TlsIdentity* identity)
    : peer_(peer), request_(std::move(request)), identity_(identity) {}

EasyTransfer::~EasyTransfer() {
    // One of them may be a passphrase.
    OPENSSL_cleanse(request_.body.data(), request_.body.size());
}

void EasyTransfer::prepare_tls() {
    // The pin is the whole of the check; without a pin there is none, and the caller compares.
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (peer_.key) {
        pin_ = pin_text(*peer_.key);
        set(CURLOPT_PINNEDPUBLICKEY, pin_.c_str());
    } else if (peer_.base_url.starts_with("https")) {
        // Its key is only to be seen in the handshake, so there must be one.
        set(CURLOPT_CERTINFO, 1L);
        set(CURLOPT_FRESH_CONNECT, 1L);
        set(CURLOPT_FORBID_REUSE, 1L);
    }
    if (identity_ == nullptr) return;
    const auto blob = [](View pem) {
        return curl_blob{const_cast<std::uint8_t*>(pem.data()), pem.size(), CURL_BLOB_NOCOPY};
    };
    const curl_blob certificate = blob(identity_->certificate_pem());
    const curl_blob key = blob(identity_->key_pem());
    set(CURLOPT_SSLCERT_BLOB, &certificate);
    set(CURLOPT_SSLCERTTYPE, "PEM");
    set(CURLOPT_SSLKEY_BLOB, &key);
    set(CURLOPT_SSLKEYTYPE, "PEM");
}

Result<void> EasyTransfer::prepare_headers() {
    curl_slist* list = nullptr;
    const auto add = [&](const std::string& line) {
        curl_slist* const longer = curl_slist_append(list, line.c_str());
        if (longer != nullptr) list = longer;
    };
    add("Expect:");  // Else each upload waits a second for a "100 Continue" that never comes.
    add("Accept:");
    bool typed = false;
    for (const auto& [name, value] : request_.headers) {
        if ((name + value).find_first_of("\r\n") != std::string::npos) {
            curl_slist_free_all(list);
            return Error{Errc::Invalid, "a header with a line break: " + name};
        }
        typed = typed || lower(name) == "content-type";
        std::string line = name;
        line += value.empty() ? ";" : ": ";
        add(line += value);
    }
    if (!typed) add("Content-Type:");  // Not curl's form-encoded default.
    headers_.reset(list);
    set(CURLOPT_HTTPHEADER, list);
    return {};
}

Result<void> EasyTransfer::prepare_body() {
    const std::string& method = request_.method;
    const bool brings = method == "PUT" || method == "POST" || method == "PATCH" ||
                        request_.source || !request_.body.empty();
    if (method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
        return {};
    }
    if (brings) {
        const std::uint64_t n = request_.source ? request_.source_bytes : request_.body.size();
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(n));
        set(CURLOPT_UPLOAD_BUFFERSIZE, buffer_bytes);
        set(CURLOPT_READFUNCTION, &EasyTransfer::give_body);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_SEEKFUNCTION, &EasyTransfer::rewind_body);
        set(CURLOPT_SEEKDATA, this);
    }
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    return {};
}

Result<void> EasyTransfer::prepare(CURL* easy) {
    easy_ = easy;
    url_ = peer_.base_url + request_.path;
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_ERRORBUFFER, why_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, peer_.proxy.c_str());  // "" also switches http_proxy and its like off.
    set(CURLOPT_BUFFERSIZE, buffer_bytes);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_TCP_KEEPIDLE, keepalive_s);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_ms_max));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.total_ms_max));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>((request_.idle_ms_max + 999) / 1000));
    set(CURLOPT_HEADERFUNCTION, &EasyTransfer::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &EasyTransfer::take_body);
    set(CURLOPT_WRITEDATA, this);
    if (!peer_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, peer_.unix_socket.c_str());
    if (!request_.range.empty()) set(CURLOPT_RANGE, request_.range.c_str());
    if (request_.bytes_per_second_max > 0) {
        const auto rate = static_cast<curl_off_t>(request_.bytes_per_second_max);
        set(CURLOPT_MAX_SEND_SPEED_LARGE, rate);
        set(CURLOPT_MAX_RECV_SPEED_LARGE, rate);
    }
    prepare_tls();
    HF_TRY(prepare_body());
    HF_TRY(prepare_headers());
    if (failed_ != CURLE_OK) {
        return Error{Errc::Invalid, "request " + url_ + ": " + curl_easy_strerror(failed_)};
    }
    return {};
}

std::size_t EasyTransfer::take_header(char* data, std::size_t size, std::size_t n, void* self) {
    static_cast<EasyTransfer*>(self)->header_line({data, size * n});
    return size * n;
}

void EasyTransfer::header_line(std::string_view line) {
    line = trim(line);
    if (line.starts_with("HTTP/")) {  // Also that of a 1xx or of a proxy, each with its headers.
        reply_.headers.clear();
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || reply_.headers.size() >= header_count_max) return;
    reply_.headers.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
}

std::size_t EasyTransfer::take_body(char* data, std::size_t size, std::size_t n, void* self) {
    const std::string_view piece(data, size * n);
    return static_cast<EasyTransfer*>(self)->body_piece(as_view(piece));
}

std::size_t EasyTransfer::body_piece(View piece) {
    if (stopped_) return 0;
    if (paused_) return CURL_WRITEFUNC_PAUSE;  // curl gives the piece again.
    if (!headers_told_) {
        long status = 0;
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        reply_.status = static_cast<unsigned>(status);
        headers_told_ = true;
        if (on_headers) on_headers(reply_);
    }
    if (on_piece && reply_.ok()) {
        const Flow flow = on_piece(piece);
        paused_ = flow == Flow::Pause && !blocking;
        stopped_ = stopped_ || flow == Flow::Stop;
        return stopped_ ? 0 : piece.size();
    }
    too_long_ = reply_.body.size() + piece.size() > request_.reply_bytes_max;
    if (too_long_) return 0;
    reply_.body.insert(reply_.body.end(), piece.begin(), piece.end());
    return piece.size();
}

std::size_t EasyTransfer::give_body(char* room, std::size_t size, std::size_t n, void* self) {
    return static_cast<EasyTransfer*>(self)->fill(
        {reinterpret_cast<std::uint8_t*>(room), size * n});
}

std::size_t EasyTransfer::fill(std::span<std::uint8_t> room) {
    if (stopped_) return CURL_READFUNC_ABORT;
    if (!request_.source) {
        const std::size_t n = std::min(room.size(), request_.body.size() - sent_);
        std::copy_n(request_.body.begin() + static_cast<std::ptrdiff_t>(sent_), n, room.begin());
        sent_ += n;
        return n;
    }
    const BodyChunk chunk = request_.source(room);
    switch (chunk.state) {
        case BodyChunk::State::Bytes:
            sent_ += chunk.bytes;
            return chunk.bytes;
        case BodyChunk::State::Later:
            if (!blocking) return CURL_READFUNC_PAUSE;
            break;
        case BodyChunk::State::Failed:
            break;
    }
    stopped_ = true;
    return CURL_READFUNC_ABORT;
}

// A kept connection may turn out dead as the request goes out; curl then starts again on a new one.
int EasyTransfer::rewind_body(void* self, curl_off_t offset, int origin) {
    auto* const transfer = static_cast<EasyTransfer*>(self);
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
    const auto to = static_cast<std::size_t>(offset);
    if (transfer->request_.source && to != transfer->sent_) return CURL_SEEKFUNC_CANTSEEK;
    if (to > transfer->request_.body.size()) return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent_ = to;
    return CURL_SEEKFUNC_OK;
}

void EasyTransfer::resume() {
    paused_ = false;
    if (easy_ != nullptr) curl_easy_pause(easy_, CURLPAUSE_CONT);
}

void EasyTransfer::note_server_key() {
    reply_.server_key = peer_.key;
    if (peer_.key) return;
    curl_certinfo* chain = nullptr;
    if (curl_easy_getinfo(easy_, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
        chain->num_of_certs < 1) {
        return;
    }
    for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
        const std::string_view text(line->data);
        constexpr std::string_view prefix = "Cert:";
        if (!text.starts_with(prefix)) continue;
        if (auto key = key_hash_of_certificate(as_view(text.substr(prefix.size())))) {
            reply_.server_key = *key;
        }
    }
}

Result<HttpReply> EasyTransfer::result(CURLcode code) {
    const std::string what = request_.method + " " + url_;
    if (stopped_) return Error{Errc::Interrupted, what + ": stopped"};
    if (too_long_) {
        return Error{Errc::Invalid, what + ": the reply is over " +
                                        std::to_string(request_.reply_bytes_max) + " bytes"};
    }
    // A server that refuses an upload may answer, and close, before all of it was sent.
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    reply_.status = static_cast<unsigned>(status);
    const bool refused_early = code == CURLE_SEND_ERROR && status >= 400;
    if (code != CURLE_OK && !refused_early) {
        const std::string why = why_[0] != '\0' ? why_.data() : curl_easy_strerror(code);
        return Error{errc_of(code, why), what + ": " + why};
    }
    note_server_key();
    if (!headers_told_ && on_headers) on_headers(reply_);
    return std::move(reply_);
}

}  // namespace holdfast::replicator
