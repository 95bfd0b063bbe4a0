// Debian's chromium under playwright-core, and axe-core. Nothing of either is downloaded but from npm.
import { createRequire } from 'node:module'
import fs from 'node:fs'

const require = createRequire(process.env.HOLDFAST_BROWSER_MODULES + '/')
const { chromium } = require('playwright-core')
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run', '--disable-dev-shm-usage']
})

// A page of its own context that trusts the console's self-signed certificate, and notes every request.
export async function open (browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  page.asked = []
  page.complaints = []
  page.on('request', (request) => page.asked.push(request.url()))
  page.on('console', (message) => page.complaints.push(message.text()))
  return page
}

// What axe finds against WCAG 2.2, levels A and AA; empty: nothing.
export async function violations (page) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }
  }))
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`)
}
