// The console in a real browser, over TLS, before a real node.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open, violations } from './browser.mjs'
import { Home } from './home.mjs'

const evil = 'Images <script>document.title = \'taken\'</script>'
const canRun = process.getuid() === 0
let home
let browser
let drill
let failover
let session

before(async () => {
  home = await Home.make('Camberwick Green', [
    { name: 'letters', title: 'Ward letters', supplier: 'Pippin Hosting', plan: true, snapshot: true },
    { name: 'images', title: evil }
  ], ['Ada Marsh', 'Ben Cole'])
  await home.start()
  if (canRun) {
    drill = await home.run('drill', 'letters', ['succeeded'])
    failover = await home.run('failover', 'letters', ['waiting'])
  }
  browser = await launch()
})

after(async () => {
  await browser?.close()
  if (failover) {
    await home.ask('POST', `/runs/${failover.id}/abort`, {})
    await home.reach(failover.id, ['aborted'])
  }
  await home?.stop()
})

async function fillIn (page, name = 'Ada Marsh', passphrase = home.passphrase) {
  await page.goto(home.origin + '/')
  await page.fill('#name', name)
  await page.fill('#passphrase', passphrase)
  await page.click('button[type=submit]')
}

async function signIn (page, name) {
  await fillIn(page, name)
  await page.waitForURL(home.origin + '/')
}

// A page of somebody who is signed in: one session serves the tests that only look.
async function signedIn (options = {}) {
  const page = await open(browser, { ...options, storageState: session })
  await page.goto(home.origin + '/')
  if (page.url() === home.origin + '/') return page
  await signIn(page)
  session = await page.context().storageState()
  return page
}

const text = (page, selector) => page.locator(selector).innerText()

test('a person signs in and out by keyboard alone', async () => {
  const page = await open(browser)
  await page.goto(home.origin + '/')
  assert.equal(page.url(), home.origin + '/sign-in')
  const reached = async (is) => {
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(is)) return
    }
    assert.fail('the keyboard does not get there: ' + is)
  }
  await reached(() => document.activeElement.id === 'name')
  await page.keyboard.type('Ada Marsh')
  await reached(() => document.activeElement.id === 'passphrase')
  await page.keyboard.type(home.passphrase)
  await page.keyboard.press('Enter')
  await page.waitForURL(home.origin + '/')
  assert.match(await text(page, 'header'), /Signed in as Ada Marsh/)
  await reached(() => document.activeElement.textContent === 'Sign out')
  await page.keyboard.press('Enter')
  await page.waitForURL(home.origin + '/sign-in')
  await page.goto(home.origin + '/')
  assert.equal(page.url(), home.origin + '/sign-in')
  await page.context().close()
})

test('a wrong passphrase and an unknown person are refused in the same words', async () => {
  const page = await open(browser)
  await fillIn(page, 'Ada Marsh', 'wrong')
  const wrong = await text(page, '.nhsuk-error-summary')
  await fillIn(page, 'Nobody At All', 'wrong')
  assert.equal(await text(page, '.nhsuk-error-summary'), wrong)
  assert.match(wrong, /the name or the passphrase is wrong/)
  assert.deepEqual(await violations(page), [])
  assert.equal(await page.inputValue('#passphrase'), '')
  await page.goto(home.origin + '/')
  assert.equal(page.url(), home.origin + '/sign-in')
  await page.context().close()
})

test('the page Now tells each system\'s true state, and what runs', async () => {
  const { json: status } = await home.ask('GET', '/status')
  const page = await signedIn()
  assert.equal(await text(page, 'h1'), 'Now')
  const letters = await text(page, '#system-letters')
  assert.match(letters, /Ward letters/)
  assert.match(letters, /by Pippin Hosting/)
  assert.match(letters, /promised: 15 minutes/)
  const told = /(?:(\d+) minutes?|(\d+) seconds?)\s*\n\s*promised/.exec(letters)
  const age = Date.now() - status.systems.find((one) => one.name === 'letters').snapshot_ms
  const shown = told[1] ? Number(told[1]) * 60_000 : Number(told[2]) * 1000
  assert.ok(Math.abs(age - shown) < 61_000, `${shown} ms are shown, it is ${age} ms old`)
  assert.match(letters, /stored on this node|At partners: unknown/)
  const images = await text(page, '#system-images')
  assert.match(images, /No snapshot/)
  assert.match(images, /Needs you/)
  assert.match(await text(page, '#truth'), /of 2 systems needs? you/)
  assert.match(await text(page, '#as-of'), /^\d\d:\d\d:\d\d/)
  await page.context().close()
})

test('a drill and a real failover are told apart, and from nothing', { skip: !canRun && 'runs need root' }, async () => {
  const page = await signedIn()
  const letters = await text(page, '#system-letters')
  assert.match(letters, /passed on .*, proven (after \d+ |in less than a )second/)
  assert.equal(drill.state, 'succeeded')
  const run = page.locator('.hf-run')
  assert.equal(await run.count(), 1, 'the drill that is over is not shown as running')
  assert.match(await run.innerText(), /REAL FAILOVER[\s\S]*waiting[\s\S]*Waits for:/)
  assert.match(await text(page, '#truth'), /a failover of Ward letters waits for people/)
  await page.context().close()
})

test('axe finds nothing against WCAG 2.2 AA, on a wide and on a narrow screen', async () => {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    const page = await open(browser, { viewport })
    await page.goto(home.origin + '/')
    assert.deepEqual(await violations(page), [])
    await page.context().close()
    const now = await signedIn({ viewport })
    assert.deepEqual(await violations(now), [])
    await now.context().close()
  }
})

test('nothing is asked of another origin, and the policy forbids nothing that the pages need', async () => {
  const page = await signedIn()
  await page.waitForLoadState('networkidle')
  assert.ok(page.asked.includes(home.origin + '/style.css'))
  for (const url of page.asked) assert.ok(url.startsWith(home.origin + '/'), url)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('all of it works without JavaScript', async () => {
  const page = await open(browser, { javaScriptEnabled: false })
  await signIn(page)
  assert.equal(page.url(), home.origin + '/')
  assert.match(await text(page, '#truth'), /systems/)
  await page.click('text=Reload')
  await page.click('text=Sign out')
  assert.equal(page.url(), home.origin + '/sign-in')
  await page.context().close()
})

test('a title that is a script is shown as text', async () => {
  const page = await signedIn()
  assert.ok((await text(page, '#system-images')).includes(evil))
  assert.equal(await page.title(), 'Now - Holdfast')
  assert.equal(await page.locator('script').count(), 0)
  await page.context().close()
})

test('a session that is not known any more goes back to the sign-in, and says why', async () => {
  const page = await open(browser)
  await signIn(page)
  const [cookie] = (await page.context().cookies()).filter((one) => one.name === '__Host-holdfast')
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict')
  await page.context().addCookies([{ ...cookie, value: '0'.repeat(64) }])
  await page.goto(home.origin + '/')
  assert.ok(page.url().startsWith(home.origin + '/sign-in'))
  assert.match(await text(page, 'main'), /Your session has ended/)
  await page.context().close()
})

test('a page of another origin can neither post the forms nor frame the pages', async () => {
  const page = await signedIn()
  const other = await page.context().newPage()
  await other.route('http://evil.test/**', (route) => route.fulfill({
    contentType: 'text/html',
    body: `<iframe src="${home.origin}/"></iframe><form method="post" action="${home.origin}/sign-out"><button>go</button></form>`
  }))
  await other.goto('http://evil.test/')
  assert.equal(await other.frames()[1].locator('#truth').count(), 0)
  await other.click('text=go')
  assert.match(await other.content(), /denied/)
  await page.reload()
  assert.match(await text(page, 'header'), /Signed in as Ada Marsh/)
  await page.context().close()
})

test('who is disabled is out with the next page', async () => {
  const page = await open(browser)
  await signIn(page, 'Ben Cole')
  assert.match(await text(page, 'header'), /Signed in as Ben Cole/)
  home.holdfast('person', 'disable', 'Ben Cole')
  await page.reload()
  assert.ok(page.url().startsWith(home.origin + '/sign-in'))
  await fillIn(page, 'Ben Cole')
  assert.match(await text(page, '.nhsuk-error-summary'), /the name or the passphrase is wrong/)
  await page.context().close()
})
