# frozen_string_literal: true

require 'erb'
require 'openssl'

# Signs URLs of one deployment, with the +current+ key of the secret SigningKeysArn (docs/reference/signatures.md).
class DarkroomSigner
  REFUSED = ['', '.', '..', '_'].freeze

  # +base+: the CDN's address, such as https://images.example.com; empty for paths.
  def initialize(base, key)
    raise ArgumentError, 'The signing key is empty' if key.to_s.empty?

    @base = base.chomp('/')
    @key = key
  end

  # Return the signed URL of an image. +image+ is its key, not percent-encoded, such as trips/rome.jpg; +expires+ is a
  # Time, or Unix time. Raises ArgumentError for a key that cannot name an image.
  def url(image, options = {}, expires: nil)
    query = options.transform_keys(&:to_s).sort.map { |name, value| "#{encode(name)}=#{spell(value)}" }.join('&')
    path = "/#{image.split('/', -1).map { |segment| encode(segment) }.join('/')}"
    @base + sign(query.empty? ? path : "#{path}?#{query}", expires: expires)
  end

  # Return a path with its query, percent-encoded, with its signature.
  def sign(target, expires: nil)
    first, *segments = target[/\A[^?]*/].split('/', -1)
    if first != '' || segments.empty? || segments.intersect?(REFUSED)
      raise ArgumentError, "No image can have this path: #{target}"
    end

    text = expires ? "#{target}#{joint(target)}exp=#{expires.to_i}" : target
    digest = OpenSSL::HMAC.digest('SHA256', @key, text)
    "#{text}#{joint(text)}s=#{[digest].pack('m0').tr('+/', '-_').delete('=')}"
  end

  private

  def joint(text) = text.include?('?') ? '&' : '?'

  def encode(text) = ERB::Util.url_encode(text)

  def spell(value)
    value = value ? 1 : 0 if [true, false].include?(value)
    encode(value).gsub(/%(2C|2F|3A|3B)/, '%2C' => ',', '%2F' => '/', '%3A' => ':', '%3B' => ';')
  end
end
