// 서버가 살아 있는 동안, 이 페이지가 바뀌면 다시 읽고, 도는 실습의 진행과 빌드의 오류를 보인다.
const own = document.currentScript.dataset
const places = [...document.querySelectorAll("[data-waiting]")]
let asking, error = ""

const said = seconds => seconds < 60 ? `${Math.round(seconds)}초` : `${Math.floor(seconds / 60)}분 ${Math.round(seconds % 60)}초`

function progress(status) {
  for (const place of places) {
    const state = status[place.dataset.waiting]
    if (!state) continue
    const usually = state.usually ? ` 지난번에는 ${said(state.usually)} 걸렸다.` : ""
    place.textContent = "elapsed" in state
      ? `돌고 있다: ${said(state.elapsed)}째.${usually}`
      : `차례를 기다린다: 앞에 ${state.before}개.${usually}`
  }
}

function report(text) {
  error = text
  let bar = document.getElementById("mgk-error")
  if (!text) return bar?.remove()
  if (!bar) {
    bar = Object.assign(document.createElement("pre"), { id: "mgk-error" })
    bar.setAttribute("role", "alert")
    bar.style.cssText = "position:fixed;inset:auto 0 0;margin:0;padding:1em;max-height:40%;overflow:auto;z-index:9;"
      + "background:#b00020;color:#fff;font-size:.7rem;white-space:pre-wrap"
    document.body.append(bar)
  }
  bar.textContent = `책을 만들지 못했다. 보이는 페이지는 고치기 전의 것이다.\n${text}`
}

async function listen() {
  while (document.visibilityState === "visible") {
    asking = new AbortController()
    try {
      const query = new URLSearchParams({ page: own.page, version: own.version, error })
      const response = await fetch(`/_news?${query}`, { signal: asking.signal })
      const news = await response.json()
      if (news.version !== own.version) return location.reload()
      report(news.error)
      progress(news.status)
      if (Object.keys(news.status).length) await new Promise(done => setTimeout(done, 500))
    } catch {
      await new Promise(done => setTimeout(done, 1000)) // 서버가 다시 뜨는 중
    }
  }
}

addEventListener("visibilitychange", () => document.visibilityState === "visible" ? listen() : asking?.abort())
addEventListener("pagehide", () => asking?.abort())
listen()
