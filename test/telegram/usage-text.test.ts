import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headline, subline, usageFacts } from '../../src/redis/budget/sentences.ts'
import { captionOf, messageOf } from '../../src/telegram/usage-text.ts'
import { aBudgetReport, anUncertainReport } from '../support/budget-report.ts'

describe('The caption of the figures', () => {
  it('says the sentence first, then month, every further fact, and when it was so', () => {
    for (const report of [aBudgetReport(), anUncertainReport()]) {
      const facts = usageFacts(report).map((fact) => `• ${fact}`)
      expect(captionOf(report).text.split('\n')).toEqual([
        headline(report),
        subline(report),
        '',
        ...facts,
        '',
        'As of 12:00.',
      ])
      expect(captionOf(report)).toEqual(messageOf(report))
    }
  })

  it('is at most 1 024 units long whatever there is to say, cut visibly and never in its time', () => {
    const texts = string({ unit: 'grapheme', minLength: 0, maxLength: 3_000 })
    assert(
      property(texts, (difference) => {
        const report = aBudgetReport({ difference })
        const [caption, message] = [captionOf(report), messageOf(report)]
        expect(caption.text.length).toBeLessThanOrEqual(1_024)
        expect(caption.text).not.toMatch(/\p{Surrogate}/u)
        expect(caption.text.endsWith('\n\nAs of 12:00.')).toBe(true)
        expect(caption.text === message.text || caption.text.includes('…\n\nAs of')).toBe(true)
        expect(message.text.length).toBeLessThanOrEqual(4_096)
      }),
    )
  })

  it('has the first sentence in bold and nothing else', () => {
    const report = aBudgetReport()
    const { text, entities } = captionOf(report)

    expect(entities).toEqual([{ type: 'bold', offset: 0, length: headline(report).length }])
    expect(text.slice(0, entities[0]?.length)).toBe(headline(report))
  })
})
