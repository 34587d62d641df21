-- SPDX-License-Identifier: GPL-2.0-only
-- For pandoc, behind filter.lua: of README.md the parts that front.html shows, so that none of it is written twice. Fails if one
-- is not there.

local function has(block, kind)
  local found = false
  pandoc.walk_block(block, { [kind] = function() found = true end })
  return found
end

function Pandoc(doc)
  local parts = {}
  for _, block in ipairs(doc.blocks) do
    if block.t == "Para" then
      if not parts.sentence then
        parts.sentence = block.content[1].content -- of the bold sentence
      elseif parts.transcript and not parts.summary then
        parts.summary = pandoc.MetaBlocks({ block })
      elseif has(block, "Image") and not parts.chart then
        parts.chart = pandoc.MetaBlocks({ pandoc.Plain(block.content) })
      elseif pandoc.utils.stringify(block):match("^Measured ") and not parts.measured then
        parts.measured = pandoc.MetaBlocks({ block })
      elseif parts.measured and not parts.meaning then
        parts.meaning = pandoc.MetaBlocks({ block })
      end
    elseif block.t == "RawBlock" and block.text:match("<pre") and not parts.transcript then
      parts.transcript = pandoc.MetaBlocks({ block })
    end
  end
  for _, name in ipairs({ "sentence", "transcript", "summary", "chart", "measured", "meaning" }) do
    if not parts[name] then error("README.md has no " .. name .. " for the front page") end
    doc.meta[name] = parts[name]
  end
  doc.blocks = {}
  return doc
end
