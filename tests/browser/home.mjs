// A real node for the browser tests: `holdfast init`, systems, people, `holdfast node run`.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

const programs = process.env.HOLDFAST_PROGRAMS
// As `holdfast` makes them: a wrong one is tried once, not twice in two spellings.
const passphrase = '7k2mq-4hx9r-w3n8d-p5tvz-e6ya1'

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

const systemText = (one, source) => `name = "${one.name}"
title = "${one.title}"
${one.supplier ? `supplier = "${one.supplier}"` : ''}
${one.plan ? '[objectives]\ndata_age = "15m"\ntime_to_run = "30m"' : ''}
[[source]]
name = "documents"
kind = "files"
path = "${source}"
${one.plan ? `[plan]
runtime = "sleeper"
hosts = []
[[check]]
name = "a letter is there"
kind = "command"
command = "look"
[[endpoint]]
name = "letters"
source = "documents"
port = 8099
[fence]
kind = "attested"
say = "Is the old server off?"` : ''}
`

const sleeper = `name = "sleeper"
kind = "command"
user = "nobody"
source = "documents"
start = ["/usr/bin/sleep", "infinity"]
ready = ["/usr/bin/true"]
stop_seconds = 5
[commands]
look = ["/usr/bin/test", "-f", "{mount}/documents/letter.txt"]
`

export class Home {
  constructor () {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hf-browser-'))
    fs.chmodSync(this.folder, 0o755)
    this.passphrase = passphrase
  }

  static async make (trust, systems, people) {
    const home = new Home()
    home.port = await freePort()
    home.origin = `https://127.0.0.1:${home.port}`
    home.write('passphrase', passphrase + '\n')
    home.holdfast('init', '--trust', trust, '--console', `127.0.0.1:${home.port}`)
    for (const name of people) home.addPerson(name)
    home.write('home/runtimes/sleeper.toml', sleeper)
    for (const one of systems) {
      home.write(`sources/${one.name}/letter.txt`, 'Dear patient (synthetic)')
      home.write(`${one.name}.toml`, systemText(one, `${home.folder}/sources/${one.name}`))
      home.holdfast('system', 'add', `${home.folder}/${one.name}.toml`)
      if (one.snapshot) home.holdfast('snapshot', one.name)
    }
    return home
  }

  write (name, text) {
    const file = path.join(this.folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 })
    fs.writeFileSync(file, text)
  }

  holdfast (...words) {
    const done = spawnSync(path.join(programs, 'holdfast'), ['--home', `${this.folder}/home`, ...words],
      { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`holdfast ${words.join(' ')}: ${done.stdout}${done.stderr}`)
    return done.stdout
  }

  addPerson (name) {
    this.holdfast('person', 'add', name, '--role', 'operator', '--key-file', `${this.folder}/${name}.key`,
      '--passphrase-file', `${this.folder}/passphrase`)
  }

  // Ends when the agent and the console have said that they are ready.
  start () {
    return new Promise((resolve, reject) => {
      this.node = spawn(path.join(programs, 'holdfast'), ['--home', `${this.folder}/home`, 'node', 'run'])
      let said = ''
      const hear = (text) => {
        said += text
        if (said.includes('holdfast-agent: ready') && said.includes('holdfast-console: ready')) resolve(said)
      }
      this.node.stdout.on('data', hear)
      this.node.stderr.on('data', hear)
      this.node.on('exit', () => reject(new Error('the node ended: ' + said)))
    })
  }

  async stop () {
    if (this.node && this.node.exitCode === null) {
      const gone = new Promise((resolve) => this.node.on('exit', resolve))
      this.node.kill('SIGTERM')
      await gone
    }
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  // The agent's control socket.
  ask (method, route, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const request = http.request({
        socketPath: `${this.folder}/home/run/agent.sock`,
        method,
        path: route,
        headers: text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }
      }, (reply) => {
        let all = ''
        reply.on('data', (piece) => { all += piece })
        reply.on('end', () => resolve({ status: reply.statusCode, json: JSON.parse(all) }))
      })
      request.on('error', reject)
      request.end(text)
    })
  }

  // Orders a run and follows it until it has reached one of `states`.
  async run (kind, system, states) {
    const ordered = await this.ask('POST', kind === 'drill' ? '/drills' : '/failovers', { system })
    if (ordered.status !== 202) throw new Error(JSON.stringify(ordered.json))
    return this.reach(ordered.json.id, states)
  }

  async reach (id, states) {
    const deadline = Date.now() + 120_000
    while (Date.now() < deadline) {
      const { json } = await this.ask('GET', `/runs/${id}`)
      if (states.includes(json.state)) return json
      if (json.over || json.state === 'stuck') throw new Error(`run ${id} is ${json.state}: ${json.note} ${json.facts.failure}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`run ${id} does not get to be ${states}`)
  }
}
