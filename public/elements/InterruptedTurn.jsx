// A turn of the agent that the end of its process cut off; what it had started goes on by itself.
import { useState } from 'react'
import { RotateCcw } from 'lucide-react'

const WORDS = {
  en: { said: 'This answer was interrupted. What was already started goes on.', again: 'Try again', trying: 'Trying again…' },
  ru: { said: 'Этот ответ прервался. Уже начатое продолжается.', again: 'Попробовать снова', trying: 'Пробую снова…' },
}

const InterruptedTurn = (globalThis.__kinoraInterruptedTurn_v1 ??= function InterruptedTurn({ turn, notice, call }) {
  const [trying, setTrying] = useState(false)
  const w = (document.documentElement.lang || navigator.language).startsWith('ru') ? WORDS.ru : WORDS.en
  const again = async () => {
    if (trying) return
    setTrying(true)
    document.getElementById('chat-input')?.focus() // the button will be gone
    try {
      await call({ name: 'try_again', payload: { turn, notice } })
    } catch {
      // The page has said why, and the button is there for another try.
    } finally {
      setTrying(false)
    }
  }
  return (
    <div className="kn-note kn-interrupted" role="status">
      <span>{w.said}</span>
      <button type="button" className="kn-button" onClick={again} aria-disabled={trying || undefined}>
        <RotateCcw aria-hidden="true" />{trying ? w.trying : w.again}
      </button>
    </div>
  )
})

export default <InterruptedTurn turn={props.turn} notice={props.notice} call={callAction} />
