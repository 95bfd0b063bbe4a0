// docs/images/now.png: the page Now of a made-up trust. node screenshot.mjs FILE
import { launch, open } from './browser.mjs'
import { Home } from './home.mjs'

const home = await Home.make('Camberwick Green', [
  { name: 'epr', title: 'Electronic patient record', supplier: 'Pippin Hosting', plan: true, snapshot: true },
  { name: 'letters', title: 'Ward letters', supplier: 'Pippin Hosting', plan: true, snapshot: true },
  { name: 'pathology', title: 'Pathology results', supplier: 'Trumpton Labs', plan: true }
], ['Ada Marsh'])
await home.start()
await home.run('drill', 'letters', ['succeeded'])
await home.run('drill', 'epr', ['succeeded'])
const failover = await home.run('failover', 'epr', ['waiting'])
const browser = await launch()
const page = await open(browser, { viewport: { width: 1280, height: 860 } })
await page.goto(home.origin + '/')
await page.fill('#name', 'Ada Marsh')
await page.fill('#passphrase', home.passphrase)
await page.click('button[type=submit]')
await page.waitForSelector('#truth')
await page.screenshot({ path: process.argv[2] })
await browser.close()
await home.ask('POST', `/runs/${failover.id}/abort`, {})
await home.reach(failover.id, ['aborted'])
await home.stop()
